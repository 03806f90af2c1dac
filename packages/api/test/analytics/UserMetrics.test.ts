import { assert, layer } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Member, member } from "../support/Members.ts"
import { join } from "../support/ProtocolTwoWorker.ts"
import { eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"

const kind = "UPDATE_USER_METRICS"
let workers = 0
const worker = Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `metrics-${++workers}`, kinds: [kind], slots: 50 }))
const metricsOf = (who: Member) => who.get("/v1/users/me/metrics")
const hoursAgo = (hours: number) => DateTime.formatIso(DateTime.add(DateTime.nowUnsafe(), { hours: -hours }))
const tasksOf = (who: Member) => SqlClient.SqlClient.use((sql) => sql`SELECT id FROM tasks WHERE kind = ${kind} AND user_id = ${who.id}`)

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a user's metrics", (it) => {
  it.effect("that were never computed are computed for whoever asks", () => Effect.gen(function*() {
    const ada = yield* member("metrics-first@example.com")
    assert.deepInclude((yield* metricsOf(ada)).body, { minutes: 0, entries: 0, metrics: null, stale: false })
    yield* ada.at(hoursAgo(3), 90)
    assert.deepInclude((yield* metricsOf(ada)).body, { minutes: 90, entries: 1 })
    assert.lengthOf(yield* tasksOf(ada), 0, "no worker takes such tasks")
  }))

  it.effect("are refreshed by one task after many changes, and believe no worker", () => Effect.gen(function*() {
    const ada = yield* member("metrics-many@example.com")
    const operations = Array.from({ length: 200 }, (_, index) => ({
      action: "create", entry: { title: `t${index}`, type: "code", start_time: hoursAgo(200 - index / 2), end_time: hoursAgo(199.9 - index / 2) }
    }))
    const bulk = yield* ada.post("/v1/logs/bulk", { operations })
    assert.strictEqual(bulk.status, 200, bulk.text)
    yield* Effect.forEach(Array.from({ length: 20 }), () => ada.at(hoursAgo(300), 30), { concurrency: 10 })
    const one = yield* worker
    const task = yield* Effect.repeat(one.next, { until: ({ task_id }) => task_id.includes(ada.id) })
    assert.lengthOf(yield* tasksOf(ada), 1)
    const refused = yield* Effect.flip(one.complete(task, JSON.stringify({ entries: "many" })))
    assert.strictEqual(refused.code, "INVALID_ARGUMENT")
    yield* one.complete(task, JSON.stringify({ entries: 7, minutes: 1 }))
    const view = yield* eventually(metricsOf(ada), (answer) => answer.at("entries") === 220)
    assert.strictEqual(view.at("stale"), false)
    assert.strictEqual(view.at("metrics", "activity_efficiency_score"), 100)
    yield* one.leave
  }))

  it.effect("are stale from a change on until its task has ended, and miss no change", () => Effect.gen(function*() {
    const one = yield* worker
    const ada = yield* member("metrics-stale@example.com")
    const entry = yield* ada.at(hoursAgo(5), 30)
    const next = Effect.repeat(one.next, { until: ({ task_id }) => task_id.includes(ada.id) })
    const first = yield* next
    yield* ada.at(hoursAgo(4), 30)
    yield* one.complete(first, "{}")
    assert.deepInclude((yield* metricsOf(ada)).body, { entries: 2, stale: false }, "it was computed after that change")
    yield* ada.remove(`/v1/logs/${entry}`)
    assert.deepInclude((yield* metricsOf(ada)).body, { entries: 2, stale: true })
    yield* one.complete(yield* next, "{}")
    assert.deepInclude((yield* metricsOf(ada)).body, { entries: 1, stale: false })
    yield* one.leave
  }))
})
