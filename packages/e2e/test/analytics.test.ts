/** Daily analytics through a real API and a real worker, as the seed's curl asks for it and through the typed client. */
import { assert, layer } from "@effect/vitest"
import { DataAnalysis } from "@englog/domain/tasks/DataAnalysis"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { AnalyticsScheduled } from "@englog/rpc/http/IntegrationsApi"
import { Clock, DateTime, Effect, Redacted, Schema } from "effect"
import { ask, password, register } from "../src/Person.ts"
import { Running } from "../src/Running.ts"

const world = Running.layer()

const scheduled = Schema.decodeEffect(Schema.fromJsonString(AnalyticsScheduled))

/** So many entries of a quarter of an hour on each of the last thirty days. */
const busy = Effect.fnUntraced(function*(url: string, token: string, perDay: number) {
  const today = DateTime.startOf(yield* DateTime.now, "day")
  const types = ["code", "meeting", "docs", "review"]
  const operations = Array.from({ length: 30 * perDay }, (_, index) => {
    const start = DateTime.add(today, { days: -1 - Math.floor(index / perDay), minutes: 30 * (index % perDay) })
    return {
      action: "create",
      entry: {
        title: "T", type: types[index % types.length], value_rating: "medium", impact_level: "team", tags: [],
        start_time: DateTime.formatIso(start), end_time: DateTime.formatIso(DateTime.add(start, { minutes: 15 }))
      }
    }
  })
  for (let at = 0; at < operations.length; at += 600) {
    const answer = yield* ask("POST", `${url}/v1/logs/bulk`, { token, body: { operations: operations.slice(at, at + 600) } })
    assert.strictEqual(answer.status, 200, answer.text.slice(0, 300))
  }
})

layer(world, { excludeTestServices: true, timeout: "180 seconds" })("daily analytics", (it) => {
  it.effect("of thirty busy days take a worker less than the seed's five seconds, and are done once", () => Effect.gen(function*() {
    const { url } = yield* Running
    const ada = yield* register(url, "busy@example.com")
    yield* busy(url, ada.token, 40)
    const path = `${url}/api/background/integrations/analytics/schedule-daily`
    const began = yield* Clock.currentTimeMillis
    const first = yield* ask("POST", path, { token: ada.token })
    assert.strictEqual(first.status, 202, first.text)
    const { schedule_id, task_id } = yield* scheduled(first.text)
    const { result } = yield* ada.ended(task_id)
    const took = (yield* Clock.currentTimeMillis) - began
    const analysed = yield* Schema.decodeEffect(Schema.fromJsonString(DataAnalysis.result))(result)
    assert.deepStrictEqual([analysed.days_stored, analysed.statistics.total], [30, { minutes: 30 * 40 * 15, entries: 1_200 }])
    assert.isBelow(took, 5_000)
    yield* Effect.logInfo(`1,200 entries on 30 days, from request to stored roll-ups: ${took} ms`)
    const again = yield* scheduled((yield* ask("POST", path, { token: ada.token })).text)
    assert.deepStrictEqual([again.task_id, again.schedule_id], [task_id, schedule_id])
    const schedules = yield* ask("GET", `${url}/v1/schedules`, { token: ada.token })
    assert.lengthOf(JSON.parse(schedules.text).items, 1)
  }), 90_000)

  it.effect("are asked for through the typed client, filled in for half a year, and read", () => Effect.gen(function*() {
    const { url } = yield* Running
    const ada = yield* register(url, "typed@example.com")
    yield* ada.addEntry({})
    yield* Effect.gen(function*() {
      const englog = yield* EngLogClient
      const { task_ids } = yield* englog.ScheduleDailyAnalytics({ start_date: "2026-01-01", end_date: "2026-06-30" })
      assert.lengthOf(task_ids, 2)
      const results = yield* Effect.forEach(task_ids, (id) => englog.submitted(DataAnalysis, id).result)
      assert.deepStrictEqual(results.map(({ days_stored, end_date, start_date }) => [start_date, end_date, days_stored]), [
        ["2026-03-30", "2026-06-30", 93], ["2026-01-01", "2026-03-29", 88]
      ])
      const one = yield* (yield* englog.submit(DataAnalysis, { start_date: "2026-01-05", end_date: "2026-01-05" })).result
      const daily = yield* englog.GetDailyAnalytics({ start_date: "2026-01-05", end_date: "2026-01-05" })
      assert.deepStrictEqual({ ...one.statistics }, { ...daily.statistics })
      assert.strictEqual(daily.statistics.total.minutes, 90)
      const refused = yield* Effect.flip(englog.ScheduleDailyAnalytics({ start_date: "2000-01-01" }))
      assert.deepInclude(refused, { _tag: "RpcFailure", reason: "bad_request" })
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: { email: "typed@example.com", password: Redacted.make(password) } })))
  }), 90_000)
})
