/**
 * The record of tasks: insert and look up. Text that a worker or a user wrote (result, error, messages) is encrypted.
 * How a task changes is in LeaseRepo.
 */
import type { OrganizationId, TaskId } from "@englog/domain/Ids"
import { type NewTask, Task } from "@englog/domain/tasks/Task"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { TaskText } from "./TaskText.ts"

/** A task with the W3C trace context of the request that caused it; empty where there is none. */
export interface TracedTask {
  readonly task: NewTask
  readonly traceparent: string
}

export class TaskRepo extends Context.Service<TaskRepo, {
  /** Inserts records, queue rows and first events in one statement: all or none. Joins a transaction that is open. */
  readonly insert: (tasks: ReadonlyArray<TracedTask>) => Effect.Effect<void, SqlError>
  readonly find: (task_id: TaskId) => Effect.Effect<Option.Option<Task>, SqlError>
  /** What is open in each queue; `oldest_due`: seconds for which the oldest task that could run has waited, 0 where none could. */
  readonly backlog: Effect.Effect<ReadonlyArray<typeof Backlog.Type>, SqlError>
  readonly countOpen: Effect.Effect<{ readonly queued: number; readonly running: number }, SqlError>
}>()("@englog/api/queue/TaskRepo") {
  static readonly layer = Layer.effect(
    TaskRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText

      const insert = Effect.fn("TaskRepo.insert")(function*(tasks: ReadonlyArray<TracedTask>) {
        const rows = yield* Effect.forEach(tasks, ({ task, traceparent }) =>
          Effect.map(text.seal(task.private_input, EncryptedColumn.taskPrivateInput, task.task_id), (private_input) => ({
            ...task,
            payload: JSON.parse(task.payload),
            private_input,
            traceparent,
            max_attempts: task.retry.max_retries + 1
          })))
        yield* sql`
          WITH n AS (
            SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS n (
              task_id text, kind text, queue text, priority smallint, organization_id uuid, user_id uuid, payload jsonb,
              private_input text, traceparent text, attempt_timeout integer, deadline integer, retry jsonb, max_attempts integer
            )
          ), t AS (
            INSERT INTO tasks (task_id, kind, queue, priority, organization_id, user_id, payload, private_input, traceparent,
              attempt_timeout_ms, retry, deadline)
            SELECT task_id, kind, queue, priority, organization_id, user_id, payload, private_input, traceparent,
              attempt_timeout, retry, now() + deadline * interval '1 millisecond'
            FROM n
            RETURNING id, task_id, kind, queue, priority, organization_id, deadline
          ), q AS (
            INSERT INTO task_queue (id, kind, queue, priority, organization_id, deadline, max_attempts)
            SELECT t.id, t.kind, t.queue, t.priority, t.organization_id, t.deadline, n.max_attempts FROM t JOIN n USING (task_id)
          )
          INSERT INTO task_events (task, seq, type, attempt, progress) SELECT id, 1, 'queued', 0, 0 FROM t`
      })

      const find = Effect.fn("TaskRepo.find")(function*(task_id: TaskId) {
        const rows = yield* sql`
          SELECT t.task_id, t.kind, t.queue, t.priority, t.organization_id, t.user_id, t.payload::text AS payload,
            coalesce(t.outcome, q.state) AS state, coalesce(t.attempt, q.attempt) AS attempt,
            coalesce(t.max_attempts, q.max_attempts) AS max_attempts, coalesce(t.rescues, q.rescues) AS rescues,
            coalesce(t.progress, q.progress) AS progress, coalesce(t.message, q.message) AS message,
            coalesce(t.worker_id, CASE WHEN q.state = 'running' THEN q.worker_id END) AS worker_id, t.result, t.error, t.reason,
            q.cancel_requested_at IS NOT NULL AS cancel_requested, t.traceparent, t.created_at,
            coalesce(t.started_at, q.started_at) AS started_at, t.completed_at, t.deadline
          FROM tasks t LEFT JOIN task_queue q ON q.id = t.id
          WHERE t.task_id = ${task_id}`
        const row = rows[0]
        if (row === undefined) return Option.none()
        const task = yield* decodeTask(row).pipe(Effect.orDie)
        return Option.some(
          new Task({
            ...task,
            message: yield* text.open(task.message, EncryptedColumn.taskMessage, task_id),
            result: yield* text.open(task.result, EncryptedColumn.taskResult, task_id),
            error: yield* text.open(task.error, EncryptedColumn.taskError, task_id)
          })
        )
      })

      const countOpen = sql`
        SELECT count(*) FILTER (WHERE state = 'queued')::int AS queued,
          count(*) FILTER (WHERE state = 'running')::int AS running
        FROM task_queue`.pipe(
          Effect.flatMap((rows) => decodeCounts(rows[0]).pipe(Effect.orDie)),
          Effect.withSpan("TaskRepo.countOpen")
        )

      const backlog = sql`
        SELECT queue, count(*) FILTER (WHERE state = 'running')::int AS running,
          count(*) FILTER (WHERE state = 'queued' AND run_at <= now())::int AS due,
          count(*) FILTER (WHERE state = 'queued' AND run_at > now())::int AS delayed,
          coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE state = 'queued' AND run_at <= now())), 0)::float8 AS oldest_due
        FROM task_queue GROUP BY queue`.pipe(
          Effect.flatMap((rows) => decodeBacklog(rows).pipe(Effect.orDie)),
          Effect.withSpan("TaskRepo.backlog")
        )

      return TaskRepo.of({ insert, find, backlog, countOpen })
    })
  )
}

/** A task belongs to its organization; whoever is not a member learns nothing, not even that it exists. */
export const isVisibleTo = (task: Task, organization_id: OrganizationId): boolean => task.organization_id === organization_id

const decodeTask = Schema.decodeUnknownEffect(Task)
const Backlog = Schema.Struct({ queue: Schema.String, due: Schema.Int, delayed: Schema.Int, running: Schema.Int, oldest_due: Schema.Finite })
const decodeBacklog = Schema.decodeUnknownEffect(Schema.Array(Backlog))
const decodeCounts = Schema.decodeUnknownEffect(Schema.Struct({ queued: Schema.Int, running: Schema.Int }))
