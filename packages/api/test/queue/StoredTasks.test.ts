import { assert, layer } from "@effect/vitest"
import { Effect, Predicate } from "effect"
import { SqlClient } from "effect/sql"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import {
  claim, claimant, completed, enqueue, events, failed, find, newKind, newOwner, newSession, QueueEngine, report, running
} from "../support/QueueEngine.ts"

const secret = "the salary of Ada is 12345"

/** Every row of the queue's tables, as text. */
const rawTables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ row: string }>`
    SELECT t::text AS row FROM tasks t UNION ALL SELECT q::text FROM task_queue q UNION ALL SELECT e::text FROM task_events e`
  return rows.map(({ row }) => row).join("\n")
})

/** What PostgreSQL says to a change of a task's rows: the name of the constraint that refuses it. */
const refusedBy = (change: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const error = yield* sql.withTransaction(sql.unsafe(change)).pipe(Effect.flip)
    return /constraint "(\w+)"/.exec(causesOf(error))?.[1] ?? causesOf(error)
  })

const causesOf = (error: unknown): string =>
  Predicate.hasProperty(error, "cause") && error.cause !== undefined ? `${String(error)} ${causesOf(error.cause)}` : String(error)

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("stored tasks", (it) => {
  it.effect("hold what workers wrote only encrypted: results, errors, messages, their events", () => Effect.gen(function*() {
    const [one, other, retried] = [yield* running(), yield* running(), yield* running({ retry: { max_retries: 1 } })]
    for (const { session_id, task_id } of [one, other]) {
      yield* TaskOutcomes.use((outcomes) => outcomes.progress([{ task_id, session_id, attempt: 1, progress: 10, message: secret }]))
    }
    yield* report(one.task_id, one.session_id, 1, completed(secret))
    yield* report(other.task_id, other.session_id, 1, failed(secret))
    yield* report(retried.task_id, retried.session_id, 1, failed(secret))
    assert.notInclude(yield* rawTables, "salary")
    assert.deepInclude(yield* find(one.task_id), { result: secret, message: secret })
    assert.strictEqual((yield* find(other.task_id)).error, secret)
    assert.strictEqual((yield* events(retried.task_id))[2]?.message, secret)
  }))

  it.effect("are open exactly while they are in the queue", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { session_id, task_id } = yield* running()
    yield* enqueue({ kind: newKind() })
    yield* report(task_id, session_id, 1, completed("1"))
    const [row] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM tasks t
      WHERE (t.outcome IS NULL) <> EXISTS (SELECT 1 FROM task_queue q WHERE q.id = t.id)`
    assert.strictEqual(row?.n, 0)
  }))

  it.effect("are in the queue no longer when somebody removes their records, and hold up nobody there", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [kind, owner] = [newKind(), yield* newOwner()]
    const removed = yield* enqueue({ kind, owner })
    const next = yield* enqueue({ kind, owner })
    yield* sql`DELETE FROM tasks WHERE task_id = ${removed}`
    assert.deepStrictEqual((yield* claim(claimant(kind, { slots: 1 }))).map(({ task_id }) => task_id), [next])
    // Fails with what it found, so that the other tests keep their tasks.
    const emptied = sql.withTransaction(Effect.andThen(sql`TRUNCATE tasks`, Effect.flatMap(sql`SELECT count(*)::int AS n FROM task_queue`, Effect.fail)))
    assert.deepStrictEqual(yield* Effect.flip(emptied), [{ n: 0 }])
  }))

  it.effect("cannot be made to claim what did not happen", () => Effect.gen(function*() {
    const held = yield* running()
    const waiting = yield* enqueue({ kind: newKind() })
    const over = yield* running()
    yield* report(over.task_id, over.session_id, 1, completed("1"))
    const queue = (task_id: string, change: string) =>
      refusedBy(`UPDATE task_queue SET ${change} WHERE id = (SELECT id FROM tasks WHERE task_id = '${task_id}')`)
    const record = (task_id: string, change: string) => refusedBy(`UPDATE tasks SET ${change} WHERE task_id = '${task_id}'`)
    const session = newSession()
    assert.strictEqual(yield* queue(waiting, "state = 'running'"), "running_is_held")
    assert.strictEqual(yield* queue(waiting, `state = 'running', session_id = '${session}', attempt_deadline = now()`), "running_was_claimed")
    assert.strictEqual(yield* queue(held.task_id, "session_id = NULL"), "running_is_held")
    assert.strictEqual(yield* queue(held.task_id, `released_session = '${session}'`), "only_waiting_was_released")
    assert.strictEqual(yield* queue(waiting, "cancel_requested_at = now()"), "only_running_waits_for_cancel")
    assert.strictEqual(yield* queue(held.task_id, "progress = 101"), "task_queue_progress_check")
    assert.strictEqual(yield* queue(waiting, "state = 'paused'"), "task_queue_state_check")
    assert.strictEqual(yield* record(held.task_id, `result = 'v2:k1:${"x".repeat(38)}'`), "only_completed_has_result")
    assert.strictEqual(yield* queue(held.task_id, "waits_for = 'time'"), "only_queued_waits")
    assert.strictEqual(yield* queue(waiting, "waits_for = 'tasks'"), "waits_for_some_tasks")
    assert.strictEqual(yield* queue(waiting, "admitted = true"), "admitted_by_a_limit")
    assert.strictEqual(yield* record(over.task_id, "event_seq = NULL"), "ended_with_its_event")
    assert.strictEqual(yield* record(over.task_id, "completed_at = NULL"), "ended_as_a_whole")
    assert.strictEqual(yield* record(over.task_id, "outcome = 'failed', result = NULL"), "failed_has_reason")
    assert.strictEqual(yield* record(held.task_id, `outcome = 'completed', result = 'v2:k1:${"x".repeat(38)}'`), "ended_as_a_whole")
    assert.strictEqual(yield* record(over.task_id, "reason = 'error'"), "failed_has_reason")
    assert.strictEqual(yield* record(over.task_id, "outcome = 'vanished', result = NULL"), "tasks_outcome_check")
  }))

  it.effect("have one event per number", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* TaskOutcomes.use((outcomes) => outcomes.progress([{ task_id, session_id, attempt: 1, progress: 10, message: null }]))
    assert.strictEqual(
      yield* refusedBy(`INSERT INTO task_events (task, seq, type, attempt, progress) SELECT id, 3, 'progress', 1, 0 FROM tasks WHERE task_id = '${task_id}'`),
      "task_events_pkey"
    )
  }))

  it.effect("go with their owner", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { task_id } = yield* running()
    yield* sql`DELETE FROM users WHERE id = (SELECT user_id FROM tasks WHERE task_id = ${task_id})`
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE task_id = ${task_id}`).length, 0)
    assert.strictEqual((yield* sql`SELECT 1 FROM task_queue q WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = q.id)`).length, 0)
  }))
})
