import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { register, TestApi } from "./TestApi.ts"

const ours = "https://app.example.com"
const policy = { corsOrigins: new Set([ours, "http://localhost:3000"]) }

const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" }

const corsHeaders = (headers: Readonly<Record<string, string>>) => Object.keys(headers).filter((name) => name.startsWith("access-control-"))

layer(TestApi.behind(policy), { excludeTestServices: true, timeout: "60 seconds" })("a page of a configured origin", (it) => {
  it.effect("gets its preflight answered", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { headers, status } = yield* ask("OPTIONS", "/v1/logs", { headers: { origin: ours, ...preflight } })
    assert.strictEqual(status, 204)
    assert.strictEqual(headers["access-control-allow-origin"], ours)
    assert.include(headers["access-control-allow-methods"], "POST")
    for (const name of ["authorization", "content-type", "last-event-id"]) assert.include(headers["access-control-allow-headers"], name)
    assert.include(headers["vary"]?.toLowerCase(), "origin")
    assert.notProperty(headers, "access-control-allow-credentials")
    assert.match(headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/)
  }))

  it.effect("may read answers, errors included, and what the API says in headers", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register("cors@example.com")
    const long = `/v1/logs?cursor=${"x".repeat(9_000)}`
    const answers = [
      yield* ask("GET", "/v1/logs", { token, headers: { origin: ours } }),
      yield* ask("GET", "/v1/logs", { headers: { origin: ours } }),
      yield* ask("GET", "/nowhere", { headers: { origin: ours } }),
      yield* ask("GET", long, { headers: { origin: ours } })
    ]
    assert.deepStrictEqual(answers.map(({ status }) => status), [200, 401, 404, 414])
    for (const { headers } of answers) {
      assert.strictEqual(headers["access-control-allow-origin"], ours)
      const exposed = headers["access-control-expose-headers"]?.split(",") ?? []
      assert.includeMembers(exposed, ["x-request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after"])
    }
  }))

  it.effect("is the only one that may", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    for (const origin of ["https://evil.example", "https://app.example.com.evil.example", "null", "HTTPS://APP.EXAMPLE.COM"]) {
      const refused = yield* ask("OPTIONS", "/v1/logs", { headers: { origin, ...preflight } })
      assert.strictEqual(refused.status, 405, origin)
      assert.deepStrictEqual(corsHeaders(refused.headers), [], origin)
      assert.deepStrictEqual(corsHeaders((yield* ask("GET", "/live", { headers: { origin } })).headers), [], origin)
    }
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("without configuration", (it) => {
  it.effect("no other origin may read anything", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const refused = yield* ask("OPTIONS", "/v1/logs", { headers: { origin: ours, ...preflight } })
    assert.strictEqual(refused.status, 405)
    assert.deepStrictEqual(corsHeaders(refused.headers), [])
  }))
})
