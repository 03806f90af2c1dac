import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { accepted, type Author, author, narrator, resultOf } from "../support/Narration.ts"
import { wholeApi } from "../support/WholeApi.ts"

/** Requests a report and has it answered with this content. */
const reported = Effect.fnUntraced(function*(by: Author, request: Record<string, unknown>, content: string) {
  const worker = yield* narrator
  const task_id = yield* accepted(yield* by.requestReport(request))
  const task = yield* worker.take(task_id)
  const data: unknown = JSON.parse(yield* worker.data(task_id))
  yield* worker.write(task_id, { content, tags: [], confidence: 1 })
  yield* worker.leave
  return { task, task_id, data, ...(yield* resultOf(by, task_id)) }
}, Effect.scoped)

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a report", (it) => {
  it.effect("covers the entries of its period, both days included", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight, result, task } = yield* reported(ada, { start_date: "2026-01-05", end_date: "2026-01-11" }, "You recorded {{total.time}}.")
    assert.deepInclude(task, { kind: "WEEKLY_REPORT", taskType: 2 })
    assert.strictEqual(result["content"], "You recorded 2 h 30 min.")
    assert.deepInclude(insight.body, { insight_type: "weekly", entry_count: 2, period_start: "2026-01-05", period_end: "2026-01-11" })
    const day = yield* reported(ada, { start_date: "2026-01-05", end_date: "2026-01-05" }, "{{total.entries}}.")
    assert.deepInclude(day.insight.body, { insight_type: "daily", entry_count: 2 })
  }))

  it.effect("answers for a period without entries, too", () => Effect.gen(function*() {
    const ada = yield* author()
    const { data, insight, result, view } = yield* reported(ada, { start_date: "2025-07-01", end_date: "2025-07-31" }, "Nothing was recorded.")
    assert.deepInclude(data, { entry_count: 0, entries: [], insight_type: "monthly" })
    assert.strictEqual(view.at("status"), "TASK_STATUS_COMPLETED")
    assert.strictEqual(result["content"], "Nothing was recorded.")
    assert.deepInclude(insight.body, { entry_count: 0, period_start: "2025-07-01", period_end: "2025-07-31" })
  }))

  it.effect("counts days as its user's zone does", () => Effect.gen(function*() {
    const ada = yield* author({ timezone: "Asia/Tokyo" })
    const late = { title: "Night shift", type: "ops", start_time: "2026-01-05T15:30:00Z", end_time: "2026-01-05T16:30:00Z" }
    assert.strictEqual((yield* ada.post("/v1/logs", late)).status, 201)
    const { result } = yield* reported(ada, { start_date: "2026-01-06", end_date: "2026-01-06" }, "{{total.entries}} entry, {{total.time}}.")
    assert.strictEqual(result["content"], "1 entry, 1 h.")
  }))

  it.effect("is named as it was asked for, or by the length of its period", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* narrator
    const typeOf = Effect.fnUntraced(function*(request: Record<string, unknown>) {
      const task_id = yield* accepted(yield* ada.requestReport(request))
      const payload: unknown = JSON.parse((yield* worker.take(task_id)).payload)
      return typeof payload === "object" && payload !== null && "report_type" in payload ? payload.report_type : undefined
    })
    assert.strictEqual(yield* typeOf({ start_date: "2026-01-01", end_date: "2026-01-14" }), "sprint")
    assert.strictEqual(yield* typeOf({ start_date: "2026-01-01", end_date: "2026-01-31" }), "monthly")
    assert.strictEqual(yield* typeOf({ start_date: "2026-01-01", end_date: "2026-03-31" }), "quarterly")
    assert.strictEqual(yield* typeOf({ start_date: "2026-01-01", end_date: "2026-01-31", report_type: "annual" }), "annual")
  }))

  it.effect("is refused where its period is none", () => Effect.gen(function*() {
    const ada = yield* author()
    const wrong = [
      { start_date: "2026-01-10", end_date: "2026-01-05" }, { start_date: "2026-02-30", end_date: "2026-03-01" },
      { start_date: "2026-01-01" }, { start_date: "2024-01-01", end_date: "2026-01-01" }
    ]
    for (const period of wrong) {
      const answer = yield* ada.requestReport(period)
      assert.strictEqual(answer.status, 400, answer.text)
      assert.match(answer.error, /^(start|end)_date: /)
    }
  }))
})
