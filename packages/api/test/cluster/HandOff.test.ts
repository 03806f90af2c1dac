import { assert, layer } from "@effect/vitest"
import type { TaskId } from "@englog/domain/Ids"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { QueueSettings } from "../../src/queue/QueueSettings.ts"
import { accepted, author } from "../support/Narration.ts"
import { eventTypes, find } from "../support/QueueEngine.ts"
import { join } from "../support/SessionWorker.ts"
import { eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"

const joined = Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: "alone", kinds: ["INSIGHT_GENERATION"], slots: 1 }))

/** Whether the task was inserted as running: its start and its submission are one transaction. */
const wasHandedOver = (task_id: TaskId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT 1 FROM tasks t LEFT JOIN task_queue q ON q.id = t.id
    WHERE t.task_id = ${task_id} AND coalesce(t.started_at, q.started_at) = t.created_at`).pipe(Effect.map((rows) => rows.length === 1))

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("hand-off", (it) => {
  it.effect("gives a task that meets an idle worker to it with its insert; the next one waits for the slot", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* joined
    const submit = Effect.flatMap(ada.requestInsight(), accepted)
    // The worker is known to be idle once the dispatcher has looked at its empty queue.
    const handed = yield* eventually(
      Effect.gen(function*() {
        const task_id = yield* submit
        const task = yield* worker.next
        assert.strictEqual(task.task_id, task_id)
        if (yield* wasHandedOver(task_id)) return { over: true, task }
        yield* worker.report(task, { _tag: "Failed", error: "again", retryable: false })
        return { over: false, task }
      }),
      ({ over }) => over
    )
    const { task_id } = handed.task
    assert.deepInclude(yield* find(task_id), { state: "running", attempt: 1, worker_id: worker.worker_id })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started"])

    const waiting = yield* submit
    assert.deepInclude(yield* find(waiting), { state: "queued", attempt: 0 })
    yield* worker.report(handed.task, { _tag: "Failed", error: "done", retryable: false })
    const next = yield* worker.next
    assert.strictEqual(next.task_id, waiting)
    assert.isFalse(yield* wasHandedOver(waiting))
    assert.deepStrictEqual(yield* eventTypes(waiting), ["queued", "started"])
    yield* worker.report(next, { _tag: "Failed", error: "done", retryable: false })

    // The settings of queues reach the server by notification: then nothing of this one is handed over, nor claimed.
    yield* (yield* QueueSettings).set("default", { paused: true })
    const held = yield* eventually(
      Effect.gen(function*() {
        const task_id = yield* submit
        if ((yield* find(task_id)).state === "queued") return { queued: true, task_id }
        yield* worker.report(yield* worker.next, { _tag: "Failed", error: "too early", retryable: false })
        return { queued: false, task_id }
      }),
      ({ queued }) => queued
    )
    yield* (yield* QueueSettings).set("default", { paused: false })
    assert.strictEqual((yield* worker.next).task_id, held.task_id)
  }))
})
