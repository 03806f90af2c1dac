import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { exchange } from "../support/RawHttp.ts"
import { register, TestApi } from "./TestApi.ts"

const walls = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store"
}

/** Each name with the value an answer has for it. */
const pick = (headers: Readonly<Record<string, string>>) => Object.fromEntries(Object.keys(walls).map((name) => [name, headers[name]]))

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("every answer", (it) => {
  it.effect("carries the security headers, whoever wrote it", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register("headers@example.com")
    const answers = [
      yield* ask("GET", "/v1/auth/me", { token }),
      yield* ask("GET", "/v1/logs", { token }),
      yield* ask("GET", "/v1/logs"),
      yield* ask("POST", "/v1/logs", { token, raw: "{" }),
      yield* ask("POST", "/v1/logs", { token, raw: "x", headers: { "content-type": "text/plain" } }),
      yield* ask("GET", "/nowhere"),
      yield* ask("DELETE", "/health"),
      yield* ask("GET", "/health")
    ]
    assert.deepStrictEqual(answers.map(({ status }) => status), [200, 200, 401, 400, 415, 404, 405, 200])
    for (const { headers } of answers) assert.deepStrictEqual(pick(headers), walls)
  }))

  it.effect("carries them too where the parser refuses the request", () => Effect.gen(function*() {
    const answer = yield* exchange("NONSENSE\r\n\r\n")
    assert.match(answer, /^HTTP\/1.1 400 /)
    for (const [name, value] of Object.entries(walls)) assert.include(answer, `\r\n${name}: ${value}\r\n`)
    assert.include(answer, "{\"error\":\"the request is not valid HTTP/1.1\",\"code\":\"malformed_http\",\"details\":[]}")
  }))

  it.effect("says nothing about what serves it, and nothing about TLS without any", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { headers } = yield* ask("GET", "/live")
    for (const name of ["x-powered-by", "server", "strict-transport-security"]) assert.notProperty(headers, name)
  }))
})

layer(TestApi.behind({ behindTls: true }), { excludeTestServices: true, timeout: "60 seconds" })("behind TLS", (it) => {
  it.effect("browsers are told to come by https only", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    assert.strictEqual((yield* ask("GET", "/live")).headers["strict-transport-security"], "max-age=31536000")
  }))
})
