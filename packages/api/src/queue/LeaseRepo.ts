/**
 * How open tasks change hands, in SQL: claim, lock, requeue, end. Which change is right is decided by the state machine
 * (TaskState in domain); this repository only carries it out, always under the lock of the task's queue row.
 */
import { SessionId, TaskId, type WorkerId } from "@englog/domain/Ids"
import { TaskEventType, TaskLease } from "@englog/domain/tasks/Task"
import { RetryPolicy } from "@englog/domain/tasks/TaskPolicy"
import { TaskState } from "@englog/domain/tasks/TaskState"
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { TaskText } from "./TaskText.ts"

/** Who asks for work, and how much fits. `lineage`: earlier sessions of the same worker, never handed again what they lost. */
export interface Claimant {
  readonly session_id: SessionId
  readonly worker_id: WorkerId
  readonly kinds: ReadonlyArray<string>
  readonly queues: ReadonlyArray<string>
  readonly lineage: ReadonlyArray<SessionId>
  readonly slots: number
}

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
  retry: RetryPolicy,
  organization_id: TaskLease.fields.organization_id,
  user_id: TaskLease.fields.user_id,
  payload: Schema.String,
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
  /** Claims up to `slots` ready tasks, best priority first, oldest first within one. */
  readonly claim: (claimant: Claimant) => Effect.Effect<ReadonlyArray<TaskLease>, SqlError>
  /** The lease that a session holds on a task right now; `attempt` 0 stands for whichever it is. */
  readonly held: (task_id: TaskId, session_id: SessionId, attempt: number) => Effect.Effect<Option.Option<TaskLease>, SqlError>
  readonly heldBy: (session_id: SessionId) => Effect.Effect<
    ReadonlyArray<{ readonly task_id: TaskId; readonly attempt: number; readonly seconds_held: number }>,
    SqlError
  >
  /** Inside a transaction only. */
  readonly lock: (task_id: TaskId) => Effect.Effect<Option.Option<LockedTask>, SqlError>
  readonly ended: (task_id: TaskId) => Effect.Effect<Option.Option<EndedTask>, SqlError>
  readonly end: (task: LockedTask, end: {
    readonly outcome: EndedTask["outcome"]
    readonly reason: string | null
    readonly result: string | null
    readonly error: string | null
  }) => Effect.Effect<void, SqlError>
  readonly requeue: (task: LockedTask, requeue: {
    readonly event: "retrying" | "rescued" | "handed_back"
    readonly message: string | null
    readonly delay: Duration.Duration
    readonly max_attempts: number
    readonly rescues: number
  }) => Effect.Effect<void, SqlError>
  readonly requestCancel: (task: LockedTask, reason: string) => Effect.Effect<void, SqlError>
  /** Not held: by this session, this attempt. Behind: less than was reported before; nothing was noted. */
  readonly progress: (report: {
    readonly task_id: TaskId
    readonly session_id: SessionId
    readonly attempt: number
    readonly progress: number
    readonly message: string | null
  }) => Effect.Effect<"noted" | "not_held" | "behind", SqlError>
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

      const readable = (lease: TaskLease) =>
        text.open(lease.private_input, EncryptedColumn.taskPrivateInput, lease.task_id).pipe(
          Effect.map((private_input) => new TaskLease({ ...lease, private_input }))
        )

      const claim = Effect.fn("LeaseRepo.claim")(function*(claimant: Claimant) {
        const rows = yield* sql`
          WITH ready AS (
            SELECT c.id FROM unnest(${claimant.kinds}::text[]) AS k (kind),
              LATERAL (
                SELECT q.id, q.priority FROM task_queue q
                WHERE q.state = 'queued' AND q.kind = k.kind AND q.queue = ANY (${claimant.queues}::text[])
                  AND q.run_at <= now() AND q.deadline > now()
                  AND NOT q.lost_sessions && ${claimant.lineage}::uuid[]
                ORDER BY q.priority DESC, q.id LIMIT ${claimant.slots}::int
                FOR UPDATE SKIP LOCKED
              ) c
            ORDER BY c.priority DESC, c.id LIMIT ${claimant.slots}::int
          ), claimed AS (
            UPDATE task_queue q SET state = 'running', attempt = q.attempt + 1, session_id = ${claimant.session_id}::uuid,
              worker_id = ${claimant.worker_id}, released_session = NULL, started_at = now(), progress = 0, message = NULL,
              attempt_deadline = least(q.deadline, now() + t.attempt_timeout_ms * interval '1 millisecond'),
              event_seq = q.event_seq + 1
            FROM ready, tasks t
            WHERE q.id = ready.id AND t.id = q.id
            RETURNING q.id, q.attempt, q.attempt_deadline, q.event_seq, q.worker_id, q.priority,
              t.task_id, t.kind, t.payload::text AS payload, t.private_input, t.traceparent, t.organization_id, t.user_id
          ), recorded AS (
            INSERT INTO task_events (task, seq, type, attempt, progress, worker_id)
            SELECT id, event_seq, 'started', attempt, 0, worker_id FROM claimed
          )
          SELECT task_id, kind, priority, payload, private_input, attempt, attempt_deadline AS deadline, traceparent,
            organization_id, user_id
          FROM claimed ORDER BY priority DESC, id`
        return yield* Effect.forEach(yield* Effect.orDie(decodeLeases(rows)), readable)
      })

      const held = Effect.fn("LeaseRepo.held")(function*(task_id: TaskId, session_id: SessionId, attempt: number) {
        const rows = yield* sql`
          SELECT t.task_id, t.kind, t.priority, t.payload::text AS payload, t.private_input, q.attempt, q.attempt_deadline AS deadline,
            t.traceparent, t.organization_id, t.user_id
          FROM tasks t JOIN task_queue q ON q.id = t.id
          WHERE t.task_id = ${task_id} AND q.state = 'running' AND q.session_id = ${session_id}::uuid
            AND (${attempt}::int = 0 OR q.attempt = ${attempt}::int)`
        const lease = (yield* Effect.orDie(decodeLeases(rows)))[0]
        return lease === undefined ? Option.none() : Option.some(yield* readable(lease))
      })

      const heldBy = Effect.fn("LeaseRepo.heldBy")(function*(session_id: SessionId) {
        const rows = yield* sql`
          SELECT t.task_id, q.attempt, extract(epoch FROM now() - q.started_at)::float8 AS seconds_held
          FROM task_queue q JOIN tasks t ON t.id = q.id WHERE q.session_id = ${session_id}::uuid`
        return yield* Effect.orDie(decodeHeld(rows))
      })

      const lock = Effect.fn("LeaseRepo.lock")(function*(task_id: TaskId) {
        const rows = yield* sql`
          SELECT q.id::text AS id, t.task_id, q.kind, q.state, q.attempt, q.max_attempts, q.rescues, q.session_id,
            q.released_session, q.worker_id, q.cancel_requested_at IS NOT NULL AS cancel_requested, q.cancel_reason,
            q.progress, t.retry, t.organization_id, t.user_id, t.payload::text AS payload, t.private_input,
            extract(epoch FROM clock_timestamp() - t.created_at)::float8 AS age_seconds
          FROM tasks t JOIN task_queue q ON q.id = t.id WHERE t.task_id = ${task_id}
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
          SELECT outcome, session_id, attempt FROM tasks WHERE task_id = ${task_id} AND outcome IS NOT NULL`
        const row = rows[0]
        return row === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeEnded(row)))
      })

      const end: LeaseRepo["Service"]["end"] = Effect.fn("LeaseRepo.end")(function*(task, end) {
        const event: TaskEventType = end.outcome
        const error = yield* text.seal(end.error, EncryptedColumn.taskError, task.task_id)
        const message = yield* text.seal(end.error, EncryptedColumn.eventMessage, task.task_id)
        const result = yield* text.seal(end.result, EncryptedColumn.taskResult, task.task_id)
        yield* sql`
          WITH q AS (DELETE FROM task_queue WHERE id = ${String(task.id)}::bigint RETURNING *),
          e AS (
            INSERT INTO task_events (task, seq, type, attempt, progress, message, worker_id)
            SELECT id, event_seq + 1, ${event}, attempt, CASE WHEN ${end.outcome} = 'completed' THEN 100 ELSE progress END,
              coalesce(${message}, message), worker_id
            FROM q
          )
          UPDATE tasks t SET outcome = ${end.outcome}, reason = ${end.reason}, result = ${result},
            error = ${error}, attempt = q.attempt, max_attempts = q.max_attempts, rescues = q.rescues,
            progress = CASE WHEN ${end.outcome} = 'completed' THEN 100 ELSE q.progress END, message = q.message,
            session_id = coalesce(q.session_id, q.released_session), worker_id = q.worker_id, started_at = q.started_at,
            completed_at = clock_timestamp()
          FROM q WHERE t.id = q.id`
      })

      const requeue: LeaseRepo["Service"]["requeue"] = Effect.fn("LeaseRepo.requeue")(function*(task, to) {
        const message = yield* text.seal(to.message, EncryptedColumn.eventMessage, task.task_id)
        // What a rescued worker finished may still arrive; what was reported or handed back may not.
        const rescued = to.event === "rescued"
        yield* sql`
          WITH q AS (
            UPDATE task_queue q SET state = 'queued', run_at = now() + ${Duration.toMillis(to.delay)}::int * interval '1 millisecond',
              max_attempts = ${to.max_attempts}, rescues = ${to.rescues}, session_id = NULL,
              released_session = CASE WHEN ${rescued}::bool THEN q.session_id END,
              lost_sessions = CASE WHEN ${rescued}::bool THEN q.lost_sessions || q.session_id ELSE q.lost_sessions END,
              attempt_deadline = NULL, event_seq = q.event_seq + 1
            WHERE q.id = ${String(task.id)}::bigint
            RETURNING id, event_seq, attempt, progress, worker_id
          )
          INSERT INTO task_events (task, seq, type, attempt, progress, message, worker_id)
          SELECT id, event_seq, ${to.event}, attempt, progress, ${message}, worker_id FROM q`
      })

      const requestCancel = Effect.fn("LeaseRepo.requestCancel")(function*(task: LockedTask, reason: string) {
        const sealed = yield* text.seal(reason, EncryptedColumn.cancelReason, task.task_id)
        yield* sql`
          WITH q AS (
            UPDATE task_queue SET cancel_requested_at = now(), cancel_reason = ${sealed}, event_seq = event_seq + 1
            WHERE id = ${String(task.id)}::bigint AND cancel_requested_at IS NULL
            RETURNING id, event_seq, attempt, progress, worker_id
          )
          INSERT INTO task_events (task, seq, type, attempt, progress, worker_id)
          SELECT id, event_seq, 'cancel_requested', attempt, progress, worker_id FROM q`
      })

      const progress: LeaseRepo["Service"]["progress"] = Effect.fn("LeaseRepo.progress")(function*(report) {
        const message = yield* text.seal(report.message, EncryptedColumn.queueMessage, report.task_id)
        const rows = yield* sql`
          WITH held AS (
            SELECT q.id, q.progress <= ${report.progress}::int AS moves FROM task_queue q JOIN tasks t ON t.id = q.id
            WHERE t.task_id = ${report.task_id} AND q.state = 'running' AND q.session_id = ${report.session_id}::uuid
              AND (${report.attempt}::int = 0 OR q.attempt = ${report.attempt}::int) AND q.cancel_requested_at IS NULL
            FOR UPDATE OF q
          ), q AS (
            UPDATE task_queue q SET progress = ${report.progress}::int, message = ${message}, event_seq = q.event_seq + 1
            FROM held WHERE held.moves AND q.id = held.id
            RETURNING q.id, q.event_seq, q.attempt, q.progress, q.worker_id
          ), noted AS (
            INSERT INTO task_events (task, seq, type, attempt, progress, message, worker_id)
            SELECT id, event_seq, 'progress', attempt, progress, ${message}, worker_id FROM q
          )
          SELECT moves FROM held`
        const [held] = yield* Effect.orDie(decodeMoves(rows))
        return held === undefined ? "not_held" : held.moves ? "noted" : "behind"
      })

      const overdue: LeaseRepo["Service"]["overdue"] = Effect.fn("LeaseRepo.overdue")(function*(slack, cancelWait) {
        const rows = yield* sql`
          SELECT t.task_id, CASE WHEN q.cancel_requested_at IS NOT NULL THEN 'cancel' WHEN q.deadline <= q.attempt_deadline
            OR q.state = 'queued' THEN 'deadline' ELSE 'timeout' END AS why
          FROM task_queue q JOIN tasks t ON t.id = q.id
          WHERE (q.state = 'queued' AND q.deadline <= now())
            OR (q.state = 'running' AND q.attempt_deadline <= now() - ${Duration.toMillis(slack)}::int * interval '1 millisecond')
            OR q.cancel_requested_at <= now() - ${Duration.toMillis(cancelWait)}::int * interval '1 millisecond'
          ORDER BY q.id LIMIT 500`
        return yield* Effect.orDie(decodeOverdue(rows))
      })

      const reportable: LeaseRepo["Service"]["reportable"] = Effect.fn("LeaseRepo.reportable")(function*(attempts, sessions) {
        const rows = yield* sql`
          SELECT t.task_id
          FROM unnest(${attempts.map((one) => one.task_id)}::text[], ${attempts.map((one) => one.attempt)}::int[])
              AS a (task_id, attempt)
            JOIN tasks t ON t.task_id = a.task_id JOIN task_queue q ON q.id = t.id
          WHERE q.state = 'queued' AND q.attempt = a.attempt AND q.released_session = ANY (${sessions}::uuid[])`
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
          WHERE q.session_id = ANY (${session_ids}::uuid[]) AND q.cancel_requested_at IS NOT NULL`
        return yield* Effect.forEach(yield* Effect.orDie(decodeCancelled(rows)), (task) =>
          text.open(task.reason, EncryptedColumn.cancelReason, task.task_id).pipe(
            Effect.map((reason) => ({ ...task, reason: reason ?? "cancelled" }))
          ))
      })

      return LeaseRepo.of({
        claim, held, heldBy, lock, ended, end, requeue, requestCancel, progress, overdue, reportable, holders, cancelRequestedIn
      })
    })
  )
}

const decodeLeases = Schema.decodeUnknownEffect(Schema.Array(TaskLease))
const decodeHeld = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ task_id: TaskId, attempt: Schema.Int, seconds_held: Schema.Finite }))
)
const decodeLocked = Schema.decodeUnknownEffect(Schema.Struct({ ...LockedTask.fields, id: Schema.BigIntFromString }))
const decodeEnded = Schema.decodeUnknownEffect(EndedTask)
const decodeOverdue = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ task_id: TaskId, why: Schema.Literals(["deadline", "timeout", "cancel"]) }))
)
const decodeMoves = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ moves: Schema.Boolean })))
const decodeTaskIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ task_id: TaskId })))
const decodeHolders = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ session_id: SessionId })))
const decodeCancelled = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ task_id: TaskId, attempt: Schema.Int, session_id: SessionId, reason: Schema.NullOr(Schema.String) }))
)
