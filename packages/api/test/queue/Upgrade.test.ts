/** Tasks of the version whose events were all rows of their own, and whose ids did not name their number. */
import { assert, describe, it } from "@effect/vitest"
import { TaskId } from "@englog/domain/Ids"
import { Effect, Layer, Logger, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { Migrations } from "../../src/db/Migrations.ts"
import { QueueLimits } from "../../src/queue/Backpressure.ts"
import { Engine } from "../../src/queue/Engine.ts"
import { EngineSql } from "../../src/queue/EngineSql.ts"
import { EventFeed } from "../../src/queue/EventFeed.ts"
import { claim, claimant, completed, encryptionKeys, eventTypes, find, newOwner, report } from "../support/QueueEngine.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const engine = Engine.pipe(Layer.provide([FieldCipher.layer(encryptionKeys), EngineSql.layer, Layer.succeed(QueueLimits, { perQueue: 0, perTenant: 0 })]))
const historyBefore = (step: string) => Object.fromEntries(Object.entries(Migrations.history).filter(([name]) => name < step))

const [ended, held, waiting] = ["test_ended_before", "test_running_now", "test_waiting_now"].map((id) => TaskId.make(id))
const session = randomUUID()

const earlierTasks = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { organization_id, user_id } = yield* newOwner()
  for (const task_id of [ended, held, waiting]) {
    yield* sql`INSERT INTO tasks (task_id, kind, queue, priority, organization_id, user_id, payload, traceparent, attempt_timeout_ms, retry, deadline)
      VALUES (${task_id}, 'OLD', 'default', 8, ${organization_id}, ${user_id}, '{"n":1}', '', 60000,
        '{"max_retries":3,"base_delay":0,"backoff_factor":2,"max_delay":0}', now() + interval '1 hour')`
  }
  yield* sql`UPDATE tasks SET outcome = 'cancelled', attempt = 1, progress = 50, started_at = now(), completed_at = now(), worker_id = 'w' WHERE task_id = ${ended}`
  yield* sql`INSERT INTO task_queue (id, kind, queue, priority, organization_id, deadline, max_attempts, event_seq, state, attempt, session_id,
      worker_id, started_at, attempt_deadline)
    SELECT id, kind, queue, priority, organization_id, deadline, 4, CASE WHEN task_id = ${held} THEN 2 ELSE 1 END,
      CASE WHEN task_id = ${held} THEN 'running' ELSE 'queued' END, (task_id = ${held})::int, CASE WHEN task_id = ${held} THEN ${session}::uuid END,
      'w', now(), CASE WHEN task_id = ${held} THEN deadline END FROM tasks WHERE outcome IS NULL`
  const events: ReadonlyArray<readonly [TaskId | undefined, ReadonlyArray<string>]> = [
    [ended, ["queued", "started", "progress", "cancel_requested", "cancelled"]], [held, ["queued", "started"]], [waiting, ["queued"]]
  ]
  for (const [task_id, types] of events) {
    for (const [index, type] of types.entries()) {
      yield* sql`INSERT INTO task_events (task, seq, type, attempt, progress) SELECT id, ${index + 1}::int, ${type}, 1, 0 FROM tasks WHERE task_id = ${task_id ?? ""}`
    }
  }
})

describe("tasks of an earlier version", () => {
  it.live("keep their history and their ids, and go on", () =>
    Effect.gen(function*() {
      if (ended === undefined || held === undefined || waiting === undefined) return yield* Effect.die("three tasks")
      yield* Migrations.run(historyBefore("0007"))
      yield* earlierTasks
      yield* Migrations.run(Migrations.history)
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* eventTypes(ended), ["queued", "started", "progress", "cancel_requested", "cancelled"])
        assert.deepStrictEqual((yield* EventFeed.use((feed) => feed.follow(ended, 3).pipe(Stream.runCollect))).map(({ seq }) => seq), [4, 5])
        assert.deepStrictEqual(yield* eventTypes(held), ["queued", "started"])
        assert.deepInclude(yield* find(held), { state: "running", attempt: 1, priority: 8 })
        const worker = claimant("OLD")
        assert.deepStrictEqual((yield* claim(worker)).map((lease) => [lease.task_id, lease.priority, lease.payload.replace(" ", "")]), [[waiting, 8, "{\"n\":1}"]])
        yield* report(waiting, worker.session_id, 1, completed("\"done\""))
        assert.deepInclude(yield* find(waiting), { state: "completed", result: "\"done\"" })
        assert.deepStrictEqual(yield* eventTypes(waiting), ["queued", "started", "completed"])
      }).pipe(Effect.provide(engine))
    }).pipe(Effect.provide(TestDatabase.empty.pipe(Layer.provideMerge(Logger.layer([]))))), 60_000)

  it.live("that lost their records without leaving the queue leave it", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* Migrations.run(historyBefore("0011"))
      yield* sql`INSERT INTO task_queue (id, kind, queue, rank, organization_id, run_at, deadline, max_attempts, state, event_seq)
        VALUES (1, 'OLD', 'default', 5, ${randomUUID()}::uuid, now(), now() + interval '1 hour', 1, 'queued', 1)`
      yield* Migrations.run(Migrations.history)
      assert.deepStrictEqual(yield* sql`SELECT id FROM task_queue`, [])
    }).pipe(Effect.provide(TestDatabase.empty.pipe(Layer.provideMerge(Logger.layer([]))))), 60_000)
})
