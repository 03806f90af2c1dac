/**
 * Who holds which open task, in SQL: look, and lock. How tasks change hands is in ClaimRepo and OutcomeRepo.
 */
import { OrganizationId, SessionId, TaskId, UserId } from "@englog/domain/Ids"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { RetryPolicy } from "@englog/domain/tasks/TaskPolicy"
import { TaskState } from "@englog/domain/tasks/TaskState"
import { Context, DateTime, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { int4s, int8s, texts } from "./Columns.ts"
import { isTask } from "./TaskNumbers.ts"
import { TaskText } from "./TaskText.ts"

/** An open task under lock. */
export class LockedTask extends Schema.Class<LockedTask>("LockedTask")({
  id: Schema.BigInt,
  task_id: TaskId,
  kind: Schema.String,
  state: TaskState,
  attempt: Schema.Int,
  max_attempts: Schema.Int,
  rescues: Schema.Int,
  session_id: Schema.NullOr(SessionId),
  released_session: Schema.NullOr(SessionId),
  worker_id: Schema.NullOr(Schema.String),
  cancel_requested: Schema.Boolean,
  cancel_reason: Schema.NullOr(Schema.String),
  progress: Schema.Int,
  /** Others wait for it. */
  dependents: Schema.Boolean,
  limit_key: Schema.NullOr(Schema.String),
  /** Somebody wants to know of its end. */
  followed: Schema.Boolean,
  retry: RetryPolicy,
  organization_id: OrganizationId,
  user_id: UserId,
  payload: Schema.String,
  traceparent: Schema.String,
  private_input: Schema.NullOr(Schema.String),
  /** Since it was accepted. */
  age_seconds: Schema.Finite
}) {}

/** The terminal record of a task that has ended; decides whether a repeated report is the same one. */
export class EndedTask extends Schema.Class<EndedTask>("EndedTask")({
  outcome: Schema.Literals(["completed", "failed", "cancelled", "expired"]),
  session_id: Schema.NullOr(SessionId),
  attempt: Schema.Int
}) {}

export class LeaseRepo extends Context.Service<LeaseRepo, {
  /** The lease that a session holds on a task right now; `attempt` 0 stands for whichever it is. */
  readonly held: (task_id: TaskId, session_id: SessionId, attempt: number) => Effect.Effect<Option.Option<TaskLease>, SqlError>
  readonly heldBy: (session_id: SessionId) => Effect.Effect<
    ReadonlyArray<{ readonly task_id: TaskId; readonly attempt: number; readonly seconds_held: number }>,
    SqlError
  >
  /** Inside a transaction only. */
  readonly lock: (task_id: TaskId) => Effect.Effect<Option.Option<LockedTask>, SqlError>
  readonly ended: (task_id: TaskId) => Effect.Effect<Option.Option<EndedTask>, SqlError>
  /**
   * Tasks past their deadline and attempts past their timeout (a running one has `slack` more to report), and cancellations
   * that nobody confirmed in time.
   */
  readonly overdue: (slack: Duration.Duration, cancelWait: Duration.Duration) => Effect.Effect<
    ReadonlyArray<{ readonly task_id: TaskId; readonly why: "deadline" | "timeout" | "cancel" }>,
    SqlError
  >
  /** Of these attempts, those that were taken from one of `sessions` but may still be reported: nobody claimed the next. */
  readonly reportable: (
    attempts: ReadonlyArray<{ readonly task_id: TaskId; readonly attempt: number }>,
    sessions: ReadonlyArray<SessionId>
  ) => Effect.Effect<ReadonlyArray<TaskId>, SqlError>
  /** Sessions that hold at least one task. */
  readonly holders: Effect.Effect<ReadonlyArray<SessionId>, SqlError>
  readonly cancelRequestedIn: (session_ids: ReadonlyArray<SessionId>) => Effect.Effect<
    ReadonlyArray<{ readonly task_id: TaskId; readonly attempt: number; readonly session_id: SessionId; readonly reason: string }>,
    SqlError
  >
}>()("@englog/api/queue/LeaseRepo") {
  static readonly layer = Layer.effect(
    LeaseRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText

      const held = Effect.fn("LeaseRepo.held")(function*(task_id: TaskId, session_id: SessionId, attempt: number) {
        const rows = yield* sql<Omit<TaskLease, "deadline"> & { readonly deadline: Date }>`
          SELECT t.task_id, t.kind, t.priority, t.payload::text AS payload, t.private_input, q.attempt, q.attempt_deadline AS deadline,
            t.traceparent, t.organization_id, t.user_id
          FROM tasks t JOIN task_queue q ON q.id = t.id
          WHERE ${isTask(sql, task_id)} AND q.state = 'running' AND q.session_id = ${session_id}::uuid
            AND (${attempt}::int = 0 OR q.attempt = ${attempt}::int)`
        const [lease] = rows
        if (lease === undefined) return Option.none()
        const private_input = yield* text.open(lease.private_input, EncryptedColumn.taskPrivateInput, task_id)
        return Option.some({ ...lease, private_input, deadline: DateTime.makeUnsafe(lease.deadline) })
      })

      const heldBy = Effect.fn("LeaseRepo.heldBy")(function*(session_id: SessionId) {
        const rows = yield* sql`
          SELECT t.task_id, q.attempt, extract(epoch FROM now() - q.started_at)::float8 AS seconds_held
          FROM task_queue q JOIN tasks t ON t.id = q.id WHERE q.session_id = ${session_id}::uuid`
        return yield* Effect.orDie(decodeHeld(rows))
      })

      const lock = Effect.fn("LeaseRepo.lock")(function*(task_id: TaskId) {
        const rows = yield* sql`
          SELECT q.id, t.task_id, q.kind, q.state, q.attempt, q.max_attempts, q.rescues, q.session_id,
            q.released_session, q.worker_id, q.cancel_requested_at IS NOT NULL AS cancel_requested, q.cancel_reason,
            q.progress, q.dependents, q.limit_key,
            EXISTS (SELECT 1 FROM followed_organizations f WHERE f.organization_id = t.organization_id) AS followed, t.retry, t.organization_id, t.user_id, t.payload::text AS payload, t.traceparent, t.private_input,
            extract(epoch FROM clock_timestamp() - t.created_at)::float8 AS age_seconds
          FROM tasks t JOIN task_queue q ON q.id = t.id WHERE ${isTask(sql, task_id)}
          FOR UPDATE OF q`
        const row = rows[0]
        if (row === undefined) return Option.none()
        const task = yield* Effect.orDie(decodeLocked(row))
        return Option.some(
          new LockedTask({
            ...task,
            private_input: yield* text.open(task.private_input, EncryptedColumn.taskPrivateInput, task_id),
            cancel_reason: yield* text.open(task.cancel_reason, EncryptedColumn.cancelReason, task_id)
          })
        )
      })

      const ended = Effect.fn("LeaseRepo.ended")(function*(task_id: TaskId) {
        const rows = yield* sql`
          SELECT t.outcome, t.session_id, t.attempt FROM tasks t WHERE ${isTask(sql, task_id)} AND t.outcome IS NOT NULL`
        const row = rows[0]
        return row === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeEnded(row)))
      })

      const overdue: LeaseRepo["Service"]["overdue"] = Effect.fn("LeaseRepo.overdue")(function*(slack, cancelWait) {
        // Two questions, each with an index of its own: what is queued may be much, what runs never is.
        const rows = yield* sql`
          SELECT t.task_id, o.why FROM (
            (SELECT id, 'deadline' AS why FROM task_queue WHERE state = 'queued' AND deadline <= now() LIMIT 500)
            UNION ALL
            (SELECT id, CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancel' WHEN deadline <= attempt_deadline THEN 'deadline' ELSE 'timeout' END
            FROM task_queue
            WHERE session_id IS NOT NULL AND (
              attempt_deadline <= now() - ${Duration.toMillis(slack)}::int * interval '1 millisecond'
              OR cancel_requested_at <= now() - ${Duration.toMillis(cancelWait)}::int * interval '1 millisecond'
            ) LIMIT 500)
          ) o JOIN tasks t ON t.id = o.id ORDER BY o.id`
        return yield* Effect.orDie(decodeOverdue(rows))
      })

      const reportable: LeaseRepo["Service"]["reportable"] = Effect.fn("LeaseRepo.reportable")(function*(attempts, sessions) {
        const rows = yield* sql`
          SELECT t.task_id
          FROM unnest(${texts(attempts.map((one) => one.task_id))}, ${int8s(attempts.map((one) => numberOf(one.task_id) ?? null))},
              ${int4s(attempts.map((one) => one.attempt))}) AS a (task_id, number, attempt)
            JOIN tasks t ON t.task_id = a.task_id AND (t.id = a.number OR a.number IS NULL AND t.id < 1099511627776)
            JOIN task_queue q ON q.id = t.id
          WHERE q.state = 'queued' AND q.attempt = a.attempt AND q.released_session = ANY (${texts(sessions)}::text[]::uuid[])`
        return (yield* Effect.orDie(decodeTaskIds(rows))).map((row) => row.task_id)
      })

      const holders = sql`SELECT DISTINCT session_id FROM task_queue WHERE session_id IS NOT NULL`.pipe(
        Effect.flatMap((rows) => Effect.orDie(decodeHolders(rows))),
        Effect.map((rows) => rows.map((row) => row.session_id)),
        Effect.withSpan("LeaseRepo.holders")
      )

      const cancelRequestedIn = Effect.fn("LeaseRepo.cancelRequestedIn")(function*(session_ids: ReadonlyArray<SessionId>) {
        const rows = yield* sql`
          SELECT t.task_id, q.attempt, q.session_id, q.cancel_reason AS reason
          FROM task_queue q JOIN tasks t ON t.id = q.id
          WHERE q.session_id = ANY (${texts(session_ids)}::text[]::uuid[]) AND q.cancel_requested_at IS NOT NULL`
        return yield* Effect.forEach(yield* Effect.orDie(decodeCancelled(rows)), (task) =>
          text.open(task.reason, EncryptedColumn.cancelReason, task.task_id).pipe(
            Effect.map((reason) => ({ ...task, reason: reason ?? "cancelled" }))
          ))
      })

      return LeaseRepo.of({ held, heldBy, lock, ended, overdue, reportable, holders, cancelRequestedIn })
    })
  )
}

const decodeHeld = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ task_id: TaskId, attempt: Schema.Int, seconds_held: Schema.Finite }))
)
const decodeLocked = Schema.decodeUnknownEffect(Schema.Struct(LockedTask.fields))
const decodeEnded = Schema.decodeUnknownEffect(EndedTask)
const decodeOverdue = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ task_id: TaskId, why: Schema.Literals(["deadline", "timeout", "cancel"]) }))
)
const decodeTaskIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ task_id: TaskId })))
const decodeHolders = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ session_id: SessionId })))
const decodeCancelled = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ task_id: TaskId, attempt: Schema.Int, session_id: SessionId, reason: Schema.NullOr(Schema.String) }))
)
