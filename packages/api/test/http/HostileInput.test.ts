/** What the generated requests of the end-to-end tests cannot know to expect word by word. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { author } from "../support/Narration.ts"
import { wholeApi } from "../support/WholeApi.ts"
import { TestApi } from "./TestApi.ts"

const ids = (count: number) => Array.from({ length: count }, (_, index) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`)

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a request for an insight", (it) => {
  it.effect("names from one to a thousand entries, each of which exists", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const refused = Effect.fnUntraced(function*(entry_ids: unknown) {
      const { error, status } = yield* ada.requestInsight({ entry_ids })
      return [status, error]
    })
    assert.deepStrictEqual(yield* refused([]), [400, "entry_ids: must name at least one entry"])
    assert.deepStrictEqual(yield* refused(ids(1_001)), [400, "entry_ids: must name at most 1000 entries"])
    assert.deepStrictEqual(yield* refused(ids(10_000)), [400, "entry_ids: must name at most 1000 entries"])
    assert.deepStrictEqual(yield* refused(ids(10_001)), [400, "entry_ids: must hold at most 10000 members"])
    assert.deepStrictEqual(yield* refused([ada.fix, "1", null]), [400, "entry_ids[1]: must be a UUID; entry_ids[2]: must be a string"])
    const [status, error] = yield* refused([ada.fix, ...ids(999)])
    assert.strictEqual(status, 404)
    for (const id of ids(999)) assert.include(String(error), id)
    assert.notInclude(String(error), ada.fix)
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE user_id = ${ada.id}::uuid`).length, 0)
  }))

  it.effect("tells fifty of ten thousand problems", () => Effect.gen(function*() {
    const ada = yield* author()
    const { error } = yield* ada.requestInsight({ entry_ids: Array.from({ length: 10_000 }, () => 1) })
    assert.match(error, /^entry_ids\[0\]: must be a string; .*; entry_ids\[49\]: must be a string; and more$/)
  }))

  it.effect("takes a context that only looks like what cannot be stored", () => Effect.gen(function*() {
    const ada = yield* author()
    for (const context of ["C:\\u0000", { path: "\\u0000", "\\ud800": ["\\udc00", "🚀"], constructor: "x", n: 1.5e300 }]) {
      assert.strictEqual((yield* ada.requestInsight({ context })).status, 202)
    }
  }))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a request for a report", (it) => {
  it.effect("is for a period that goes forward, of at most a year", () => Effect.gen(function*() {
    const ada = yield* author()
    const refused = (start_date: string, end_date: string) => Effect.map(ada.requestReport({ start_date, end_date }), ({ error, status }) => [status, error])
    assert.deepStrictEqual(yield* refused("2026-01-02", "2026-01-01"), [400, "end_date: must not be before start_date"])
    assert.deepStrictEqual(yield* refused("2024-01-01", "2026-01-01"), [400, "end_date: must be at most 366 days after start_date"])
    assert.strictEqual((yield* ada.get("/v1/insights?period_start=2026-01-02&period_end=2026-01-01")).error, "period_end: must not be before period_start")
    assert.strictEqual((yield* ada.get("/v1/logs?start_date=2026-01-02&end_date=2026-01-01")).error, "end_date: must not be before start_date")
  }))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("an ambiguous request", (it) => {
  it.effect("is refused by name", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* author()
    const error = (path: string, headers: Record<string, string> = {}) => Effect.map(ada.get(path, headers), (answer) => [answer.status, answer.error])
    assert.deepStrictEqual(yield* error("/v1/logs;x?limit=1"), [400, "path: must not contain ; or # unless percent-encoded"])
    assert.deepStrictEqual(yield* error("/v1/logs?type=%ff"), [400, "type: must be valid percent-encoded UTF-8"])
    assert.deepStrictEqual(yield* error("/v1/auth/me?verbose=1"), [400, "unknown query parameter \"verbose\""])
    assert.deepStrictEqual(yield* error("/v1/auth/me", { "content-encoding": "gzip" }), [415, "content-encoding: gzip is not supported here; send the body as it is"])
    const raw = (raw: string, type: string) => Effect.map(ask("POST", "/v1/logs", { token: ada.token, raw, headers: { "content-type": type } }), ({ error, status }) => [status, error])
    assert.deepStrictEqual(yield* raw("{\"title\": \"a\", \"title\": \"b\"}", "application/json"), [400, "title: is given more than once"])
    assert.deepStrictEqual(yield* raw("{}", "application/json; charset=utf-16"), [415, "content-type: charset utf-16 is not supported here; send UTF-8"])
  }))
})
