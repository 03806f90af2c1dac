import { assert, layer } from "@effect/vitest"
import { TaskId } from "@englog/domain/Ids"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { TaskRepo } from "../../src/queue/TaskRepo.ts"
import { claim, claimant, enqueue, events, find, newKind, newSubmission, QueueEngine } from "../support/QueueEngine.ts"

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("submission", (it) => {
  it.effect("leaves nothing behind when the transaction around it fails", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const queue = yield* TaskQueue
    const kind = newKind()
    const submission = yield* newSubmission({ kind })
    const refused = yield* sql.withTransaction(
      queue.enlist(submission).pipe(Effect.andThen(Effect.fail("no")))
    ).pipe(Effect.flip)
    assert.strictEqual(refused, "no")
    const left = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM tasks WHERE kind = ${kind}`
    assert.strictEqual(left[0]?.n, 0)
    assert.deepStrictEqual(yield* claim(claimant(kind)), [])
  }))

  it.effect("fails alone among those that arrive with it", () => Effect.gen(function*() {
    const kind = newKind()
    const results = yield* Effect.all(
      Array.from({ length: 30 }, (_, i) => Effect.result(enqueue({ kind, ...(i === 7 ? { payload: "not JSON" } : {}) }))),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(results.flatMap((result, i) => result._tag === "Failure" ? [i] : []), [7])
    const claimed = yield* claim(claimant(kind, { slots: 100 }))
    assert.strictEqual(claimed.length, 29)
  }))

  it.effect("hands its private input to the holder alone", () => Effect.gen(function*() {
    const kind = newKind()
    const task_id = yield* enqueue({ kind, private_input: "\"only you\"" })
    assert.strictEqual((yield* claim(claimant(kind)))[0]?.private_input, "\"only you\"")
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ row: string }>`SELECT t::text AS row FROM tasks t WHERE task_id = ${task_id}`
    assert.notInclude(rows[0]?.row, "only you")
    assert.notInclude(JSON.stringify(yield* find(task_id)), "only you")
  }))

  it.effect("names tasks readably and never twice", () => Effect.gen(function*() {
    const kind = newKind()
    const ids = yield* Effect.all(Array.from({ length: 20 }, () => enqueue({ kind })), { concurrency: 5 })
    assert.strictEqual(new Set(ids).size, 20)
    for (const id of ids) assert.match(id, /^test_[0-9a-f-]{36}_\d{10}_[0-9a-f]{32}$/)
  }))

  it.effect("shows the task as it was accepted, with its first event", () => Effect.gen(function*() {
    const task_id = yield* enqueue({ kind: newKind(), payload: "{\"entry_ids\": []}", retry: { max_retries: 3 } })
    const task = yield* find(task_id)
    assert.deepInclude(task, {
      state: "queued", attempt: 0, max_attempts: 4, rescues: 0, progress: 0, message: null, worker_id: null, result: null,
      error: null, reason: null, cancel_requested: false, started_at: null, completed_at: null, priority: 5
    })
    assert.strictEqual(task.deadline.epochMilliseconds - task.created_at.epochMilliseconds, 300_000)
    assert.deepStrictEqual((yield* events(task_id)).map(({ attempt, seq, type }) => [seq, type, attempt]), [[1, "queued", 0]])
  }))

  it.effect("keeps the trace of the request with the task", () => Effect.gen(function*() {
    const kind = newKind()
    const task_id = yield* enqueue({ kind }).pipe(Effect.withSpan("request"))
    const { traceparent } = yield* find(task_id)
    assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    assert.strictEqual((yield* claim(claimant(kind)))[0]?.traceparent, traceparent)
  }))

  it.effect("knows no task that was never accepted", () => Effect.gen(function*() {
    const tasks = yield* TaskRepo
    assert.deepStrictEqual(yield* tasks.find(TaskId.make("test_that_was_never_accepted")), Option.none())
  }))
})
