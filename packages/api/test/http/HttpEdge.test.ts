import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { exchange } from "../support/RawHttp.ts"
import { entry, register, TestApi } from "./TestApi.ts"

const asMember = (email: string) =>
  Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register(email)
    return {
      get: (path: string) => ask("GET", path, { token }),
      post: (body: unknown) => ask("POST", "/v1/logs", { token, body }),
      postRaw: (raw: string, headers = {}) => ask("POST", "/v1/logs", { token, raw, headers })
    }
  })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("the HTTP edge", (it) => {
  it.effect("names an unknown route", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("GET", "/v1/nothing?secret=1")
    assert.strictEqual(answer.status, 404)
    assert.deepStrictEqual(answer.body, { error: "no such route: GET /v1/nothing", code: "unknown_route", details: [] })
  }))

  it.effect("answers 404 to a path that is no valid percent encoding", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("GET", "/v1/%zz")
    assert.include([400, 404], answer.status)
    assert.notStrictEqual(answer.error, "")
  }))

  it.effect("says which methods a path has", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("PATCH", "/v1/logs/3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11")
    assert.strictEqual(answer.status, 405)
    assert.deepStrictEqual(answer.headers["allow"]?.split(", ").sort(), ["DELETE", "GET", "HEAD", "PUT"])
    assert.include(answer.error, "PATCH")
  }))

  it.effect("says where a body stops being JSON", () => Effect.gen(function*() {
    const { postRaw } = yield* asMember("json@example.com")
    const answer = yield* postRaw("{\n  \"title\": oops\n}")
    assert.strictEqual(answer.status, 400)
    assert.strictEqual(answer.error, "body: is not valid JSON: unexpected \"o\" at line 2, column 12")
    assert.strictEqual((yield* postRaw("")).error, "body: is not valid JSON: it is empty")
    assert.strictEqual((yield* postRaw("[1, 2]")).error, "body: must be a JSON object")
  }))

  it.effect("refuses a body that is no UTF-8", () => Effect.gen(function*() {
    const { token } = yield* register("utf8@example.com")
    const head = `POST /v1/logs HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n`
    const body = Buffer.concat([Buffer.from("{\"title\": \"caf"), Buffer.from([0xe9]), Buffer.from("\"}")])
    const answer = yield* exchange(Buffer.concat([
      Buffer.from(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`),
      body
    ]))
    assert.match(answer, /^HTTP\/1.1 400 /)
    assert.include(answer, "{\"error\":\"body: is not valid UTF-8\",\"code\":\"malformed_body\",\"details\":[{\"field\":\"body\",\"reason\":\"is not valid UTF-8\"}]}")
  }))

  it.effect("names every field that is wrong, and why", () => Effect.gen(function*() {
    const { post } = yield* asMember("fields@example.com")
    const answer = yield* post({
      title: " ", titel: 1, type: "coding", tags: ["ok", "", 3], start_time: "2026-02-30T00:00:00Z", description: "x".repeat(2001)
    })
    assert.strictEqual(answer.status, 400)
    assert.deepStrictEqual(answer.error.split("; ").sort(), [
      "description: must be at most 2000 characters long",
      "end_time: is required",
      "start_time: must be a time that exists: there is no 2026-02-30",
      "tags[1]: must not be empty",
      "tags[2]: must be a string",
      "title: must not be empty",
      "type: must be one of meeting, code, debug, docs, mentoring, review, planning, learning, ops, admin",
      "unknown field \"titel\""
    ])
  }))

  it.effect("names wrong and unknown query parameters and wrong ids in the path", () => Effect.gen(function*() {
    const { get } = yield* asMember("query@example.com")
    const answer = yield* get("/v1/logs?limit=201&typ=code&start_date=2026-02-31")
    assert.strictEqual(answer.status, 400)
    assert.deepStrictEqual(answer.error.split("; ").sort(), [
      "limit: must be a whole number from 1 to 200",
      "start_date: must be a day that exists, as YYYY-MM-DD",
      "unknown query parameter \"typ\""
    ])
    assert.strictEqual((yield* get("/v1/logs/42")).error, "id: must be a UUID")
  }))

  it.effect("refuses text that PostgreSQL cannot store, by field", () => Effect.gen(function*() {
    const { get, post, postRaw } = yield* asMember("nul@example.com")
    assert.strictEqual((yield* post({ ...entry, description: "a\u0000b" })).error, "description: must not contain the NUL character")
    assert.strictEqual((yield* post({ ...entry, tags: ["a", "\u0000"] })).error, "tags[1]: must not contain the NUL character")
    const lone = yield* postRaw(JSON.stringify({ ...entry, title: "half" }).replace("half", "half \\ud83d"))
    assert.strictEqual(lone.error, "title: must not contain half of a surrogate pair")
    assert.strictEqual((yield* get("/v1/logs?cursor=%00")).error, "cursor: must not contain the NUL character")
  }))

  it.effect("accepts a pair of surrogates and a backslash that only looks like an escape", () => Effect.gen(function*() {
    const { postRaw } = yield* asMember("emoji@example.com")
    const answer = yield* postRaw(JSON.stringify({ ...entry, title: "T", description: "C:\\\\u0000" }).replace("\"T\"", "\"\\ud83d\\ude80\""))
    assert.strictEqual(answer.status, 201)
    assert.strictEqual(answer.at("title"), "🚀")
    assert.strictEqual(answer.at("description"), "C:\\\\u0000")
  }))

  it.effect("reads JSON only", () => Effect.gen(function*() {
    const { postRaw } = yield* asMember("media@example.com")
    const answer = yield* postRaw("title=x", { "content-type": "application/x-www-form-urlencoded" })
    assert.strictEqual(answer.status, 415)
    assert.include(answer.error, "application/x-www-form-urlencoded is not supported")
    assert.strictEqual((yield* postRaw(JSON.stringify(entry), { "content-type": "application/json; charset=utf-8" })).status, 201)
  }))

  it.effect("reads at most one mebibyte, announced or not", () => Effect.gen(function*() {
    const { postRaw } = yield* asMember("large@example.com")
    const announced = yield* postRaw(JSON.stringify({ ...entry, description: "x".repeat(1024 * 1024) }))
    assert.strictEqual(announced.status, 413)
    assert.strictEqual(announced.error, "body: must be at most 1048576 bytes")
    const chunk = "x".repeat(65_536)
    const chunked = yield* exchange(Buffer.from(
      "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        + `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(17) + "0\r\n\r\n"
    ))
    assert.match(chunked, /^HTTP\/1.1 413 /)
    assert.include(chunked, "{\"error\":\"body: must be at most 1048576 bytes\",\"code\":\"payload_too_large\"")
  }))

  it.effect("hands a harmless request id back and replaces a harmful one", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const kept = yield* ask("GET", "/live", { headers: { "x-request-id": "abc-123" } })
    assert.strictEqual(kept.headers["x-request-id"], "abc-123")
    const replaced = yield* ask("GET", "/live", { headers: { "x-request-id": "a b\tc".repeat(100) } })
    assert.match(replaced.headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/)
    assert.match((yield* ask("GET", "/nowhere")).headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/)
  }))

  it.effect("asks for a bearer token where one is needed", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("GET", "/v1/logs", { headers: { authorization: "Basic YTpi" } })
    assert.strictEqual(answer.status, 401)
    assert.strictEqual(answer.headers["www-authenticate"], "Bearer")
    assert.include(answer.error, "a bearer token is required")
  }))
})
