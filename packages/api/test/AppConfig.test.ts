import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { inspect } from "node:util"
import { AppConfig } from "../src/AppConfig.ts"

const secrets = {
  DATABASE_URL: "postgres://ada:canarydatabase@127.0.0.1/englog",
  JWT_SECRET_KEY: `canaryjwt${"x".repeat(40)}`,
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, "canarykey").toString("base64")}`,
  REDIS_URL: "redis://:canaryredis@127.0.0.1:6379",
  WORKER_ENROLLMENT_TOKEN: "canaryenrollment",
  METRICS_TOKEN: "canarymetrics"
}

describe("the API's configuration", () => {
  it.effect("can be printed without telling a secret", () =>
    Effect.gen(function*() {
      const config = yield* AppConfig
      const printed = `${inspect(config, { depth: 10 })} ${JSON.stringify(config)}`
      assert.notMatch(printed, /canary/)
      assert.notInclude(printed, secrets.ENCRYPTION_KEYS.slice(3))
      assert.include(printed, "127.0.0.1", "it was printed at all")
    }).pipe(
      Effect.provide(AppConfig.layer),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: secrets }))
    ))

  const read = (env: Record<string, string>) =>
    AppConfig.pipe(
      Effect.provide(AppConfig.layer),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { ...secrets, ...env } }))
    )

  it.effect("lets a server stand alone, or share the replicas' work where others can reach it", () => Effect.gen(function*() {
    assert.deepStrictEqual((yield* read({})).runner, { _tag: "Single" })
    assert.deepStrictEqual((yield* read({ CLUSTER_HOST: "api-1" })).runner, { _tag: "Socket", host: "api-1", port: 34_431, listenHost: "api-1" })
    assert.deepStrictEqual((yield* read({ CLUSTER_HOST: "api-1", CLUSTER_PORT: "4000", CLUSTER_LISTEN_HOST: "0.0.0.0" })).runner, {
      _tag: "Socket",
      host: "api-1",
      port: 4_000,
      listenHost: "0.0.0.0"
    })
  }))

  it.effect.each([
    [{ CLUSTER_PORT: "4000" }, /CLUSTER_PORT/],
    [{ CLUSTER_HOST: "0.0.0.0" }, /CLUSTER_HOST.*CLUSTER_LISTEN_HOST/],
    [{ CLUSTER_HOST: "api-1", CLUSTER_PORT: "none" }, /CLUSTER_PORT/]
  ] as const)("names what is wrong with %j", ([env, named]) => Effect.gen(function*() {
    assert.match((yield* Effect.flip(read(env))).message, named)
  }))
})
