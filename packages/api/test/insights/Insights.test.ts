import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { COMPLETED, FAILED, refusal } from "../support/ContractWorker.ts"
import { accepted, author, narrated, narrator, resultOf } from "../support/Narration.ts"
import { wholeApi } from "../support/WholeApi.ts"

const draft = { content: "You recorded {{total.time}}.", tags: ["productivity"], confidence: 0.8 }

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("an insight", (it) => {
  it.effect("shows only what resolves, whoever wrote it", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const content = [
      "You recorded {{total.time}} in {{total.entries}} entries. Productivity rose by 40%. You saved three days. That is 500 hours.",
      `The login race is fixed [[${ada.fix}]]. Latency fell by 90 percent. Twice as fast, {{no.such.fact}} say.`,
      `Eve cut latency by 90% [[${eve.fix}]].`
    ].join("\n\n")
    const { insight, result, view } = yield* narrated(ada, { content, tags: ["login", "77 sunsets"], confidence: 0.9 })
    assert.strictEqual(view.at("status"), "TASK_STATUS_COMPLETED")
    const kept = "You recorded 2 h 30 min in 2 entries.\n\nThe login race is fixed. Latency fell by 90 percent."
    assert.strictEqual(result["content"], kept)
    assert.deepStrictEqual(result["tags"], ["login"])
    assert.closeTo(Number(result["confidence"]), 0.9 * 3 / 8, 1e-9)
    assert.strictEqual(insight.status, 200)
    assert.strictEqual(insight.at("content"), kept)
    assert.strictEqual(insight.at("confidence"), result["confidence"])
    assert.deepStrictEqual(insight.at("citations"), [{ paragraph: 1, entry_ids: [ada.fix] }])
    const removed = insight.at("removed")
    assert.deepStrictEqual(Array.isArray(removed) ? removed.length : removed, 5)
    assert.match(JSON.stringify(removed), /40%.*three days.*500 hours.*no\.such\.fact.*Eve/s)
    assert.notMatch(view.text + String(insight.at("content")), /40%|three days|500 hours|no\.such|Eve|Twice/)
  }))

  it.effect("says so where nothing could be verified", () => Effect.gen(function*() {
    const { insight, result } = yield* narrated(yield* author(), { content: "You did 12 things in 5 days.", tags: [], confidence: 1 })
    assert.match(String(result["content"]), /^Nothing that could be verified/)
    assert.strictEqual(result["confidence"], 0)
    assert.deepStrictEqual(insight.at("citations"), [])
  }))

  it.effect("has the shape of seed 000 in the result: a JSON string of content, tags and confidence first", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight, result, task_id, view } = yield* narrated(ada, draft)
    assert.deepStrictEqual(Object.keys(Object(view.body)), ["task_id", "worker_id", "status", "result", "error", "started_at", "completed_at"])
    assert.strictEqual(view.at("task_id"), task_id)
    assert.match(String(view.at("worker_id")), /^narrator-/)
    assert.strictEqual(view.at("error"), "")
    assert.isTrue(String(view.at("started_at")) < String(view.at("completed_at")))
    assert.match(String(view.at("result")), /^\{"content":"You recorded 2 h 30 min\.","tags":\["productivity"\],"confidence":0\.8,/)
    assert.strictEqual(insight.at("id"), result["insight_id"])
    assert.match(task_id, new RegExp(`^insight_${ada.id}_\\d{10}_[0-9a-f]{32}$`))
  }))

  it.effect("fills in what a worker need not say", () => Effect.gen(function*() {
    const { insight, result } = yield* narrated(yield* author(), draft)
    const origin = { model: "unknown", prompt_version: "unknown", source: "model", fallback_reason: null }
    assert.deepInclude(result, origin)
    assert.deepInclude(insight.body, { ...origin, insight_type: "productivity", entry_count: 2, period_start: "2026-01-05", period_end: "2026-01-05" })
  }))

  it.effect("is stored once, however often it is reported, and only encrypted", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const worker = yield* narrator
    const task_id = yield* accepted(yield* ada.requestInsight({ context: "for the salary review" }))
    yield* worker.take(task_id)
    const report = worker.write(task_id, { content: "The login race is fixed for good.", tags: [], confidence: 1 })
    yield* Effect.all([report, report, report], { concurrency: "unbounded" })
    const rows = yield* sql<{ row: string }>`SELECT i::text || t::text AS row
      FROM tasks t JOIN insights i USING (task_id) WHERE t.task_id = ${task_id}`
    assert.strictEqual(rows.length, 1)
    assert.notMatch(rows[0]?.row ?? "", /login|salary/)
  }))

  it.effect("cannot be made of a result that does not fit: the worker is told which field, and may still fail the task", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const worker = yield* narrator
    const task_id = yield* accepted(yield* ada.requestInsight())
    yield* worker.take(task_id)
    const wrong = [
      "not json", "[]", "{}", JSON.stringify({ ...draft, confidence: 1.5 }), JSON.stringify({ ...draft, tags: "none" }),
      JSON.stringify({ ...draft, content: "" }), JSON.stringify({ ...draft, source: "thin air" }), JSON.stringify({ ...draft, model: "a\u0000b" }),
      JSON.stringify({ ...draft, fallback_reason: "\u0000" }), JSON.stringify({ ...draft, prompt_version: "\u0000" })
    ]
    for (const result of wrong) {
      assert.strictEqual(yield* refusal(worker.report(task_id, { status: COMPLETED, result })), "INVALID_ARGUMENT", result)
    }
    const details = yield* worker.report(task_id, { status: COMPLETED, result: wrong[3] ?? "" }).pipe(Effect.flip)
    assert.match(details.details, /^result: .*confidence/s)
    assert.strictEqual((yield* ada.get(`/v1/tasks/${task_id}`)).at("state"), "running")
    yield* worker.report(task_id, { status: FAILED, errorMessage: "I give up" })
    const view = yield* ada.get(`/v1/tasks/${task_id}/result`)
    assert.deepInclude(view.body, { status: "TASK_STATUS_FAILED", error: "I give up", result: "" })
    assert.strictEqual((yield* sql`SELECT 1 FROM insights WHERE task_id = ${task_id}`).length, 0)
  }))

  it.effect("rests on what its worker may read while it holds the task: facts, entries, context, and nothing of others", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const worker = yield* narrator
    const context = { purpose: "performance_review", period: "6 months" }
    const task_id = yield* accepted(yield* ada.requestInsight({ context }))
    const task = yield* worker.take(task_id)
    assert.deepStrictEqual(JSON.parse(task.payload), { user_id: ada.id, entry_ids: [...ada.entries], insight_type: "productivity" })
    const data: unknown = JSON.parse(yield* worker.data(task_id))
    assert.deepInclude(data, { insight_type: "productivity", context, entry_count: 2, cached: null })
    const text = JSON.stringify(data)
    assert.include(text, "Cut p95 latency by 90%")
    assert.include(text, "\"total.time\"")
    assert.notInclude(text, eve.fix)
    yield* worker.write(task_id, { ...draft, content: "It covers 6 months, not 7 months. It covers 6 months." })
    assert.strictEqual((yield* resultOf(ada, task_id)).result["content"], "It covers 6 months.")
    assert.strictEqual(yield* refusal(worker.data(task_id)), "FAILED_PRECONDITION")
  }))

  it.effect("takes its context as text or as an object, and keeps the entries' text out of the task", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const worker = yield* narrator
    for (const context of ["Weekly productivity analysis", { goals: [{ hours: 12 }], nested: { deep: true } }]) {
      const task_id = yield* accepted(yield* ada.requestInsight({ context }))
      yield* worker.take(task_id)
      assert.deepInclude(JSON.parse(yield* worker.data(task_id)), { context })
      const rows = yield* sql<{ payload: string }>`SELECT payload::text AS payload FROM tasks WHERE task_id = ${task_id}`
      assert.notMatch(rows[0]?.payload ?? "", /login|Weekly|goals/)
    }
    assert.strictEqual((yield* ada.requestInsight({ context: 7 })).status, 400)
  }))

  it.effect("offers an earlier model's answer to exactly the same question", () => Effect.gen(function*() {
    const ada = yield* author()
    yield* narrated(ada, { ...draft, model: "llama3.2:3b" })
    const worker = yield* narrator
    const cachedFor = Effect.fnUntraced(function*(request: Record<string, unknown>) {
      const task_id = yield* accepted(yield* ada.requestInsight(request))
      yield* worker.take(task_id)
      const data: unknown = JSON.parse(yield* worker.data(task_id))
      return typeof data === "object" && data !== null && "cached" in data ? data.cached : undefined
    })
    assert.deepStrictEqual(yield* cachedFor({}), { ...draft, model: "llama3.2:3b" })
    assert.strictEqual(yield* cachedFor({ insight_type: "skill_development" }), null)
    assert.strictEqual(yield* cachedFor({ context: "another purpose" }), null)
    assert.strictEqual(yield* cachedFor({ entry_ids: [ada.fix] }), null)
  }))

  it.effect("leaves out entries that were deleted meanwhile", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const worker = yield* narrator
    const task_id = yield* accepted(yield* ada.requestInsight())
    yield* worker.take(task_id)
    yield* sql`DELETE FROM log_entries WHERE id = ${ada.meeting}::uuid`
    yield* worker.write(task_id, draft)
    const { insight, result } = yield* resultOf(ada, task_id)
    assert.strictEqual(result["content"], "You recorded 1 h 30 min.")
    assert.strictEqual(insight.at("entry_count"), 1)
  }))

  it.effect("is listed newest first, by type and period", () => Effect.gen(function*() {
    const ada = yield* author()
    const first = yield* narrated(ada, draft)
    const second = yield* narrated(ada, draft, { insight_type: "time_management" })
    const all = yield* ada.get("/v1/insights")
    assert.deepStrictEqual([all.at("items", 0, "id"), all.at("items", 1, "id"), all.at("items", 2)], [second.result["insight_id"], first.result["insight_id"], undefined])
    assert.strictEqual(all.at("items", 0, "content"), "You recorded 2 h 30 min.")
    assert.strictEqual((yield* ada.get("/v1/insights?type=productivity")).at("items", 0, "id"), first.result["insight_id"])
    const page = yield* ada.get("/v1/insights?limit=1")
    const rest = yield* ada.get(`/v1/insights?limit=1&cursor=${String(page.at("next_cursor"))}`)
    assert.deepStrictEqual([rest.at("items", 0, "id"), rest.at("next_cursor")], [first.result["insight_id"], null])
    assert.deepStrictEqual((yield* ada.get("/v1/insights?period_start=2026-02-01")).at("items"), [])
  }))
})
