import { assert, describe, it, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Duration, Effect, Redacted } from "effect"
import { IpNetwork } from "effect/net"
import { SqlClient } from "effect/sql"
import { openPolicy } from "../../src/http/edge/EdgePolicy.ts"
import { author } from "../support/Narration.ts"
import { httpPort } from "../support/RawHttp.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"
import { type Answer, password, register, TestApi } from "./TestApi.ts"

const perMinute = (name: string, limit: number) => ({ name, limit, window: Duration.minutes(1) })

const proxy = { trustedProxies: [IpNetwork.fromStringUnsafe("127.0.0.1/32"), IpNetwork.fromStringUnsafe("10.0.0.0/8")] }

/** As it comes through the proxy. */
const from = (address: string) => ({ "x-forwarded-for": address })

const isRefused = (answer: Answer, limit: number) => {
  assert.strictEqual(answer.status, 429)
  assert.hasAllKeys(answer.body, ["error", "code", "details"])
  assert.match(answer.error, /^too many attempts; try again in \d+ seconds$/)
  assert.isAtLeast(Number(answer.headers["retry-after"]), 1)
  assert.strictEqual(answer.headers["ratelimit-limit"], String(limit))
  assert.strictEqual(answer.headers["ratelimit-remaining"], "0")
  assert.strictEqual(answer.headers["ratelimit-reset"], answer.headers["retry-after"])
}

const addressLimit = { ...proxy, limits: { ...openPolicy.limits, address: perMinute("address", 5) } }

layer(TestApi.behind(addressLimit), { excludeTestServices: true, timeout: "60 seconds" })("an address", (it) => {
  it.effect("is told what is left, and refused when nothing is, whatever it asks for", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const paths = ["/v1/logs", "/nowhere", "/openapi.json", "/v1/projects", "/v1/auth/me"]
    const answers = yield* Effect.forEach(paths, (path) => ask("GET", path, { headers: from("192.0.2.1") }))
    assert.deepStrictEqual(answers.map(({ headers }) => headers["ratelimit-remaining"]), ["4", "3", "2", "1", "0"])
    for (const { headers } of answers) {
      assert.strictEqual(headers["ratelimit-limit"], "5")
      assert.isAtLeast(Number(headers["ratelimit-reset"]), 1)
      assert.isAtMost(Number(headers["ratelimit-reset"]), 60)
    }
    isRefused(yield* ask("GET", "/v1/logs", { headers: from("192.0.2.1") }), 5)
    isRefused(yield* ask("POST", "/rpc", { headers: from("192.0.2.1"), raw: "" }), 5)
    assert.strictEqual((yield* ask("GET", "/v1/logs", { headers: from("192.0.2.2") })).status, 401)
  }))

  it.effect("may probe as often as it likes", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const headers = from("192.0.2.3")
    for (const path of ["/live", "/ready", "/health", "/live", "/ready", "/health?x=1", "/live"]) {
      const answer = yield* ask("GET", path, { headers })
      assert.strictEqual(answer.status === 400 || answer.status === 200, true)
      assert.notProperty(answer.headers, "ratelimit-limit")
    }
  }))

  it.effect("is the rightmost that no trusted proxy wrote", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const remaining = (forwarded: string) =>
      Effect.map(ask("GET", "/v1/logs", { headers: from(forwarded) }), ({ headers }) => headers["ratelimit-remaining"])
    assert.strictEqual(yield* remaining("192.0.2.4"), "4")
    assert.strictEqual(yield* remaining("203.0.113.9, 192.0.2.4"), "3")
    assert.strictEqual(yield* remaining("192.0.2.4, 10.1.2.3"), "2")
    assert.strictEqual(yield* remaining("6.6.6.6, 192.0.2.4, 10.1.2.3, 10.9.9.9"), "1")
    assert.strictEqual(yield* remaining("192.0.2.4, 203.0.113.9"), "4")
  }))
})

layer(TestApi.behind({ limits: addressLimit.limits }), { excludeTestServices: true, timeout: "60 seconds" })("without a trusted proxy", (it) => {
  it.effect("nobody chooses their address", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (n) => ask("GET", "/v1/logs", { headers: from(`192.0.2.${n}`) }))
    assert.deepStrictEqual(answers.map(({ status }) => status), [401, 401, 401, 401, 401, 429])
  }))
})

const authLimit = { ...proxy, limits: { ...openPolicy.limits, auth: perMinute("auth", 3), address: perMinute("address", 1_000) } }

layer(TestApi.behind(authLimit), { excludeTestServices: true, timeout: "60 seconds" })("authentication", (it) => {
  it.effect("has a stricter limit per address, and reaching it is recorded once", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const headers = from("192.0.2.10")
    const login = (n: number) => ask("POST", "/v1/auth/login", { body: { email: `guess-${n}@example.com`, password }, headers })
    const answers = yield* Effect.forEach([1, 2, 3], login)
    assert.deepStrictEqual(answers.map(({ headers }) => headers["ratelimit-remaining"]), ["2", "1", "0"])
    isRefused(yield* login(4), 3)
    isRefused(yield* ask("POST", "/v1/auth/register", { body: {}, headers }), 3)
    isRefused(yield* ask("POST", "/v1/auth/refresh", { body: {}, headers }), 3)
    assert.strictEqual((yield* ask("GET", "/v1/logs", { headers })).status, 401)
    const sql = yield* SqlClient.SqlClient
    const recorded = yield* eventually(sql`SELECT detail FROM security_events WHERE event = 'rate_limited'`, (rows) => rows.length > 0)
    assert.deepStrictEqual(recorded.map((row) => row["detail"]), [{ limit: "auth" }])
  }))
})

const userLimit = { limits: { ...openPolicy.limits, user: perMinute("user", 6), starts: perMinute("starts", 2) } }

layer(wholeApi({ edge: userLimit }), { excludeTestServices: true, timeout: "60 seconds" })("a user", (it) => {
  it.effect("has a limit of requests over REST and RPC together, and a stricter one for starting tasks", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* author()
    // Two of six were spent on entries.
    const reports = yield* Effect.forEach([1, 2, 3], (n) => ada.requestReport({ start_date: "2026-01-01", end_date: `2026-01-0${n + 4}` }))
    assert.deepStrictEqual(reports.map(({ status }) => status), [202, 202, 429])
    assert.strictEqual(reports[0]?.headers["ratelimit-limit"], "2")
    isRefused(reports[2] ?? assert.fail("no answer"), 2)
    const rpc = EngLogClient.layer({ url: `http://127.0.0.1:${yield* httpPort}`, auth: Redacted.make(ada.token) })
    const failure = yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      yield* client.ListEntries({})
      return yield* Effect.flip(client.ListEntries({}))
    }).pipe(Effect.provide(rpc))
    assert.deepInclude(JSON.parse(JSON.stringify(failure)), { _tag: "RpcFailure", reason: "too_many_requests" })
    isRefused(yield* ask("GET", "/v1/logs", { token: ada.token }), 6)
    const { token } = yield* register("other-user@example.com")
    const other = yield* ask("GET", "/v1/logs", { token })
    assert.strictEqual(other.status, 200)
    assert.strictEqual(other.headers["ratelimit-remaining"], "5")
  }))
})

layer(wholeApi({ edge: userLimit }), { excludeTestServices: true, timeout: "60 seconds" })("a user over one WebSocket", (it) => {
  it.effect("has the same limits, call by call", () => Effect.gen(function*() {
    const { id, token } = yield* register("socket@example.com")
    const url = `http://127.0.0.1:${yield* httpPort}`
    const period = { start_date: "2026-01-01", end_date: "2026-01-31" } as const
    const failure = yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      return yield* Effect.flip(Effect.repeat(client.SubmitReport({ user_id: id, ...period }), { times: 5 }))
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(token), transport: "websocket" })))
    const { reason, retry_after } = JSON.parse(JSON.stringify(failure))
    assert.strictEqual(reason, "too_many_requests")
    assert.isAtLeast(retry_after, 1)
  }))
})

layer(wholeApi({ edge: addressLimit, redisUrl: "redis://127.0.0.1:1" }), { excludeTestServices: true, timeout: "60 seconds" })("without the Redis that is configured", (it) => {
  it.effect("limits hold in this process, and /health says so", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => ask("GET", "/v1/logs", { headers: from("192.0.2.1") }))
    assert.deepStrictEqual(answers.map(({ status }) => status), [401, 401, 401, 401, 401, 429])
    const health = yield* ask("GET", "/health")
    assert.strictEqual(health.status, 200)
    assert.strictEqual(health.at("status"), "degraded")
    assert.deepStrictEqual(health.at("components", "redis"), {
      status: "down", detail: "Redis does not answer; limits are counted in this process"
    })
  }))
})

describe("unlimited", () => {
  it.live("answers say nothing about limits", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { headers } = yield* ask("GET", "/v1/logs")
    assert.deepStrictEqual(Object.keys(headers).filter((name) => name.startsWith("ratelimit")), [])
  }).pipe(Effect.provide(TestApi.layer)), 60_000)
})
