/**
 * The record of tasks: insert and look up. Text that a worker or a user wrote (name, result, error, messages) is encrypted.
 * How a task changes is in LeaseRepo and OutcomeRepo.
 */
import type { OrganizationId, SessionId, TaskId, WorkerId } from "@englog/domain/Ids"
import { type NewTask, Task } from "@englog/domain/tasks/Task"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { Column, rowSet } from "./RowSet.ts"
import { isTask } from "./TaskNumbers.ts"
import { TaskText } from "./TaskText.ts"

/** What a task is when it comes into being. */
export interface Birth {
  readonly task: NewTask
  /** Who runs it from the start, where it met an empty queue and a free slot. */
  readonly holder: { readonly session_id: SessionId; readonly worker_id: WorkerId } | null
  /** Why it cannot run yet; `time` follows from its delay. */
  readonly waits_for: "tasks" | "limit" | null
  readonly pending_tasks: number
  /** It has a permit of its limit key. */
  readonly admitted: boolean
}

export const plainBirth = (task: NewTask): Birth => ({ task, holder: null, waits_for: null, pending_tasks: 0, admitted: false })

/** What the database says of tasks that were handed over at their birth: until when the attempt may take. */
export type BornRunning = ReadonlyMap<bigint, Date>

export class TaskRepo extends Context.Service<TaskRepo, {
  /**
   * Inserts records and queue rows in one statement, all or none, through the given client (whose transaction it joins).
   * Answers until when the attempts of those may take that were handed over.
   */
  readonly insert: (sql: SqlClient.SqlClient, births: ReadonlyArray<Birth>) => Effect.Effect<BornRunning, SqlError>
  /** The same for a task with a unique key; false where that is taken. */
  readonly insertUnique: (sql: SqlClient.SqlClient, birth: Birth) => Effect.Effect<boolean, SqlError>
  /** Takes the key from a task that has ended or is to be cancelled; an open one keeps it. */
  readonly freeKey: (organization_id: OrganizationId, kind: string, unique_key: string) => Effect.Effect<void, SqlError>
  readonly findByUniqueKey: (
    sql: SqlClient.SqlClient,
    organization_id: OrganizationId,
    kind: string,
    unique_key: string
  ) => Effect.Effect<Option.Option<TaskId>, SqlError>
  readonly find: (task_id: TaskId) => Effect.Effect<Option.Option<Task>, SqlError>
}>()("@englog/api/queue/TaskRepo") {
  static readonly layer = Layer.effect(
    TaskRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText

      /** The private input and the name. */
      const sealed = Effect.fnUntraced(function*({ name, private_input, task_id }: NewTask) {
        return {
          private_input: yield* text.seal(private_input, EncryptedColumn.taskPrivateInput, task_id),
          name: yield* text.seal(name, EncryptedColumn.taskName, task_id)
        }
      })

      /** One row per task. */
      const rows = Effect.fnUntraced(function*(client: SqlClient.SqlClient, births: ReadonlyArray<Birth>) {
        const encrypted = yield* Effect.forEach(births, ({ task }) =>
          task.private_input === null && task.name === null ? nothingSealed : sealed(task))
        const of = <A>(value: (task: NewTask, birth: Birth) => A) => births.map((birth) => value(birth.task, birth))
        return rowSet(client, of((task) => task.number), {
          task_id: Column.text(of((task) => task.task_id)),
          kind: Column.text(of((task) => task.kind)),
          queue: Column.text(of((task) => task.queue)),
          priority: Column.int4(of((task) => task.priority)),
          organization_id: Column.uuid(of((task) => task.organization_id)),
          user_id: Column.uuid(of((task) => task.user_id)),
          payload: Column.text(of((task) => task.payload)),
          private_input: Column.text(encrypted.map(({ private_input }) => private_input)),
          name: Column.text(encrypted.map(({ name }) => name)),
          traceparent: Column.text(of((task) => task.traceparent)),
          attempt_timeout: Column.int4(of((task) => task.attempt_timeout)),
          deadline: Column.float8(of((task) => task.deadline)),
          delay: Column.float8(of((task) => task.delay)),
          retry: Column.text(of((task) => JSON.stringify(task.retry))),
          max_attempts: Column.int4(of((task) => task.retry.max_retries + 1)),
          result_ttl: Column.int4(of((task) => Math.ceil(task.result_ttl / 1_000))),
          unique_key: Column.text(of((task) => task.unique_key)),
          parent: Column.int8(of((task) => task.parent === null ? null : numberOf(task.parent) ?? null)),
          limit_key: Column.text(of((task) => task.limit?.key ?? null)),
          waits_for: Column.text(of((_, birth) => birth.waits_for)),
          pending_tasks: Column.int4(of((_, birth) => birth.pending_tasks)),
          admitted: Column.bool(of((_, birth) => birth.admitted)),
          session_id: Column.uuid(of((_, birth) => birth.holder?.session_id ?? null)),
          worker_id: Column.text(of((_, birth) => birth.holder?.worker_id ?? null))
        })
      })

      const insertRecords = (client: SqlClient.SqlClient) => client`
        INSERT INTO tasks (id, task_id, kind, queue, priority, organization_id, user_id, payload, private_input, name, traceparent,
          attempt_timeout_ms, retry, result_ttl_seconds, unique_key, limit_key, parent, deadline)
        SELECT number, task_id, kind, queue, priority, organization_id, user_id, payload::json, private_input, name,
          traceparent, attempt_timeout, retry::json, result_ttl, unique_key, limit_key, parent,
          now() + (delay + deadline) * interval '1 millisecond'
        FROM n`

      const insertQueued = (client: SqlClient.SqlClient, from: string) => client`
        INSERT INTO task_queue (id, kind, queue, rank, organization_id, run_at, deadline, max_attempts, limit_key, waits_for,
          pending_tasks, admitted, state, attempt, session_id, worker_id, started_at, attempt_deadline, event_seq, started_seq)
        SELECT number, kind, queue, 10 - priority, organization_id, now() + delay * interval '1 millisecond',
          now() + (delay + deadline) * interval '1 millisecond', max_attempts, limit_key,
          coalesce(waits_for, CASE WHEN delay > 0 THEN 'time' END), pending_tasks, admitted,
          CASE WHEN session_id IS NULL THEN 'queued' ELSE 'running' END, (session_id IS NOT NULL)::int, session_id, worker_id,
          CASE WHEN session_id IS NOT NULL THEN now() END,
          CASE WHEN session_id IS NOT NULL THEN now() + least(deadline, attempt_timeout) * interval '1 millisecond' END,
          1 + (session_id IS NOT NULL)::int, CASE WHEN session_id IS NOT NULL THEN 2 END
        FROM ${client.literal(from)}`

      const insert: TaskRepo["Service"]["insert"] = Effect.fnUntraced(function*(client, births) {
        const born = yield* client<{ number: bigint; attempt_deadline: Date }>`
          WITH n AS ${yield* rows(client, births)},
          t AS (${insertRecords(client)}),
          q AS (${insertQueued(client, "n")} RETURNING id, state, attempt_deadline)
          SELECT id AS number, attempt_deadline FROM q WHERE state = 'running'`
        return new Map(born.map((row) => [row.number, row.attempt_deadline]))
      })

      const insertUnique: TaskRepo["Service"]["insertUnique"] = Effect.fnUntraced(function*(client, birth) {
        const inserted = yield* client`
          WITH n AS ${yield* rows(client, [birth])},
          t AS (${insertRecords(client)} ON CONFLICT (organization_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING RETURNING id)
          ${insertQueued(client, "n JOIN t ON t.id = n.number")} RETURNING id`
        return inserted.length > 0
      })

      const findByUniqueKey: TaskRepo["Service"]["findByUniqueKey"] = Effect.fnUntraced(function*(client, organization_id, kind, unique_key) {
        const found = yield* client<{ task_id: TaskId }>`
          SELECT task_id FROM tasks WHERE organization_id = ${organization_id}::uuid AND kind = ${kind} AND unique_key = ${unique_key}`
        return Option.fromUndefinedOr(found[0]?.task_id)
      })

      const freeKey: TaskRepo["Service"]["freeKey"] = Effect.fn("TaskRepo.freeKey")(function*(organization_id, kind, unique_key) {
        yield* sql`
          UPDATE tasks t SET unique_key = NULL
          WHERE t.organization_id = ${organization_id}::uuid AND t.kind = ${kind} AND t.unique_key = ${unique_key} AND (t.outcome IS NOT NULL
            OR EXISTS (SELECT 1 FROM task_queue q WHERE q.id = t.id AND q.cancel_requested_at IS NOT NULL))`
      })

      const find = Effect.fn("TaskRepo.find")(function*(task_id: TaskId) {
        const rows = yield* sql`
          SELECT t.task_id, t.kind, t.name, t.queue, t.priority, t.organization_id, t.user_id, t.payload::text AS payload,
            coalesce(t.outcome, q.state) AS state, q.waits_for, CASE WHEN q.state = 'queued' THEN q.run_at END AS run_at,
            coalesce(t.attempt, q.attempt) AS attempt,
            coalesce(t.max_attempts, q.max_attempts) AS max_attempts, coalesce(t.rescues, q.rescues) AS rescues,
            coalesce(t.progress, q.progress) AS progress, coalesce(t.message, q.message) AS message,
            coalesce(t.worker_id, CASE WHEN q.state = 'running' THEN q.worker_id END) AS worker_id,
            (SELECT p.task_id FROM tasks p WHERE p.id = t.parent) AS parent, t.unique_key,
            t.result, t.error, t.reason, q.cancel_requested_at IS NOT NULL AS cancel_requested, t.traceparent, t.created_at,
            coalesce(t.started_at, q.started_at) AS started_at, t.completed_at, t.deadline
          FROM tasks t LEFT JOIN task_queue q ON q.id = t.id
          WHERE ${isTask(sql, task_id)}`
        const row = rows[0]
        if (row === undefined) return Option.none()
        const task = yield* decodeTask(row).pipe(Effect.orDie)
        return Option.some(
          new Task({
            ...task,
            name: yield* text.open(task.name, EncryptedColumn.taskName, task_id),
            message: yield* text.open(task.message, EncryptedColumn.taskMessage, task_id),
            result: task.state === "completed" ? (yield* text.open(task.result, EncryptedColumn.taskResult, task_id)) ?? "null" : null,
            error: yield* text.open(task.error, EncryptedColumn.taskError, task_id)
          })
        )
      })

      return TaskRepo.of({ insert, insertUnique, freeKey, findByUniqueKey, find })
    })
  )
}

const nothingSealed = Effect.succeed<{ readonly private_input: string | null; readonly name: string | null }>({ private_input: null, name: null })

/** A task belongs to its organization; whoever is not a member learns nothing, not even that it exists. */
export const isVisibleTo = (task: Task, organization_id: OrganizationId): boolean => task.organization_id === organization_id

const decodeTask = Schema.decodeUnknownEffect(Task)
