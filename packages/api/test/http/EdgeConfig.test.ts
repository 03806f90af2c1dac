import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect } from "effect"
import { IpNetwork } from "effect/net"
import { edgePolicy } from "../../src/EdgeConfig.ts"

const read = (env: Record<string, string>, reachable = false) =>
  Effect.provideService(edgePolicy({ reachable }), ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const sentence = (env: Record<string, string>) => Effect.map(Effect.flip(read(env)), ({ message }) => message)

describe("the edge's configuration", () => {
  it.effect("lets nothing in that is not named", () => Effect.gen(function*() {
    const { behindTls, corsOrigins, trustedProxies } = yield* read({})
    assert.deepStrictEqual({ behindTls, corsOrigins: [...corsOrigins], trustedProxies }, { behindTls: false, corsOrigins: [], trustedProxies: [] })
  }))

  it.effect("reads lists of origins and proxies", () => Effect.gen(function*() {
    const { corsOrigins, trustedProxies } = yield* read({
      CORS_ORIGINS: "https://app.example.com, http://localhost:3000",
      TRUSTED_PROXIES: "10.0.0.5,192.168.0.0/16, 2001:db8::/32,::1"
    })
    assert.deepStrictEqual([...corsOrigins], ["https://app.example.com", "http://localhost:3000"])
    assert.deepStrictEqual(trustedProxies.map(IpNetwork.format), ["10.0.0.5/32", "192.168.0.0/16", "2001:db8::/32", "::1/128"])
  }))

  it.effect("limits a server in the open, and hardly one that only its own machine can reach", () => Effect.gen(function*() {
    const inTheOpen = yield* read({}, true)
    assert.deepStrictEqual(inTheOpen.limits.user, { name: "user", limit: 600, window: Duration.minutes(1) })
    assert.deepStrictEqual((yield* read({ TRUSTED_PROXIES: "127.0.0.1" })).limits, inTheOpen.limits)
    const alone = yield* read({})
    for (const name of ["user", "token", "address", "auth", "starts"] as const) {
      assert.isAtLeast(alone.limits[name]?.limit ?? 0, 1_000 * (inTheOpen.limits[name]?.limit ?? 0))
    }
    const given = yield* read({ RATE_LIMIT_USER: "5/10s", RATE_LIMIT_ADDRESS: "off", RATE_LIMIT_STARTS: "7/2h", RATE_LIMIT_TOKEN: "9/1s" }, true)
    assert.deepStrictEqual(given.limits.user, { name: "user", limit: 5, window: Duration.seconds(10) })
    assert.strictEqual(given.limits.address, null)
    assert.deepStrictEqual(given.limits.token, { name: "token", limit: 9, window: Duration.seconds(1) })
    assert.deepStrictEqual(given.limits.starts, { name: "starts", limit: 7, window: Duration.hours(2) })
  }))

  it.effect("names the variable that is wrong", () => Effect.gen(function*() {
    for (const origin of ["*", "app.example.com", "https://app.example.com/", "https://app.example.com/x", "ftp://x"]) {
      assert.strictEqual(yield* sentence({ CORS_ORIGINS: origin }), `CORS_ORIGINS has an item "${origin}" that is not such as https://app.example.com`)
    }
    for (const proxy of ["proxy.local", "10.0.0.0/33", "10.0.0.1/8"]) {
      assert.strictEqual(yield* sentence({ TRUSTED_PROXIES: proxy }), `TRUSTED_PROXIES has an item "${proxy}" that is not such as 10.0.0.5 or 10.0.0.0/8`)
    }
    for (const limit of ["0/1m", "10", "10/0s", "ten/1m", "10/1d", "-1/1m"]) {
      assert.strictEqual(yield* sentence({ RATE_LIMIT_AUTH: limit }), "RATE_LIMIT_AUTH must be such as 600/1m, or off")
    }
    assert.strictEqual(yield* sentence({ HTTP_BEHIND_TLS: "maybe" }), "HTTP_BEHIND_TLS must be true or false")
  }))
})
