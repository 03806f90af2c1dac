/**
 * How open tasks change, in SQL: end, requeue, note a cancellation or progress. Which change is right is decided by the state
 * machine (TaskState in domain); this repository carries it out, always under the lock of the task's queue row.
 *
 * What a task's record tells by itself is no event row: that it was queued, the start of its newest attempt, and its end.
 * A start becomes a row when the attempt ends and the task does not.
 */
import type { SessionId, TaskId } from "@englog/domain/Ids"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { texts } from "./Columns.ts"
import { EngineSql } from "./EngineSql.ts"
import type { EndedTask, LockedTask } from "./LeaseRepo.ts"
import { Column, rowSet } from "./RowSet.ts"
import { TaskText } from "./TaskText.ts"

/** What a worker says about an attempt that goes on; `attempt` 0 stands for whichever it holds. */
export interface ProgressNote {
  readonly task_id: TaskId
  readonly session_id: SessionId
  readonly attempt: number
  readonly progress: number
  readonly message: string | null
}

/**
 * Not held: by this session, this attempt. Behind: less than was reported before. Cancelled: it is to be, which the worker is told
 * and has to confirm. Nothing was noted in any of these cases.
 */
export type ProgressAnswer = "noted" | "not_held" | "behind" | "cancelled"

/** A completion that says which attempt it is; `result` as JSON text. */
export interface Completion {
  readonly task_id: TaskId
  readonly session_id: SessionId
  readonly attempt: number
  readonly result: string
}

/** A task that one statement has completed. */
export interface PlainlyCompleted {
  readonly task_id: TaskId
  readonly kind: string
  readonly user_id: string
  readonly worker_id: string
  readonly attempt: number
  readonly traceparent: string
  /** Since it was accepted. */
  readonly age_seconds: number
}

export class OutcomeRepo extends Context.Service<OutcomeRepo, {
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
  /**
   * Completes, of these, whatever is held exactly as it is said and needs nothing more: no task or limit that waits for it, no
   * cancellation, nobody who follows its organization. The others are left as they are. For kinds whose completion has no effect.
   */
  readonly completePlain: (completions: ReadonlyArray<Completion>) => Effect.Effect<ReadonlyMap<TaskId, PlainlyCompleted>, SqlError>
  /** In order, also of one task. */
  readonly progress: (notes: ReadonlyArray<ProgressNote>) => Effect.Effect<ReadonlyArray<ProgressAnswer>, SqlError>
}>()("@englog/api/queue/OutcomeRepo") {
  static readonly layer = Layer.effect(
    OutcomeRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const engine = yield* EngineSql
      const text = yield* TaskText

      const end: OutcomeRepo["Service"]["end"] = Effect.fn("OutcomeRepo.end")(function*(task, end) {
        const error = yield* text.seal(end.error, EncryptedColumn.taskError, task.task_id)
        const result = yield* text.seal(end.result === "null" ? null : end.result, EncryptedColumn.taskResult, task.task_id)
        yield* sql`
          WITH q AS (DELETE FROM task_queue WHERE id = ${task.id}::int8 RETURNING *),
          dead AS (
            INSERT INTO dead_letters (id, organization_id, queue, kind, failed_at)
            SELECT id, organization_id, queue, kind, clock_timestamp() FROM q WHERE ${end.outcome} IN ('failed', 'expired')
          )
          UPDATE tasks t SET outcome = ${end.outcome}, reason = ${end.reason}, result = ${result},
            error = ${error}, attempt = q.attempt, max_attempts = q.max_attempts, rescues = q.rescues,
            progress = CASE WHEN ${end.outcome} = 'completed' THEN 100 ELSE q.progress END, message = q.message,
            session_id = coalesce(q.session_id, q.released_session), worker_id = q.worker_id, started_at = q.started_at,
            started_seq = q.started_seq, event_seq = q.event_seq + 1, completed_at = clock_timestamp()
          FROM q WHERE t.id = q.id`
      })

      const requeue: OutcomeRepo["Service"]["requeue"] = Effect.fn("OutcomeRepo.requeue")(function*(task, to) {
        const message = yield* text.seal(to.message, EncryptedColumn.eventMessage, task.task_id)
        const delay = Duration.toMillis(to.delay)
        // What a rescued worker finished may still arrive; what was reported or handed back may not.
        const rescued = to.event === "rescued"
        yield* sql`
          WITH before AS (SELECT id, started_seq, started_at, attempt, worker_id FROM task_queue WHERE id = ${task.id}::int8),
          q AS (
            UPDATE task_queue q SET state = 'queued', run_at = now() + ${delay}::float8 * interval '1 millisecond',
              waits_for = CASE WHEN ${delay}::float8 > 0 THEN 'time' WHEN q.limit_key IS NOT NULL THEN 'limit' END, admitted = false,
              max_attempts = ${to.max_attempts}, rescues = ${to.rescues}, session_id = NULL, started_seq = NULL,
              released_session = CASE WHEN ${rescued}::bool THEN q.session_id END,
              lost_sessions = CASE WHEN ${rescued}::bool THEN q.lost_sessions || q.session_id ELSE q.lost_sessions END,
              attempt_deadline = NULL, event_seq = q.event_seq + 1
            WHERE q.id = ${task.id}::int8
            RETURNING q.id, q.event_seq, q.attempt, q.progress, q.worker_id
          ), started AS (
            INSERT INTO task_events (task, seq, type, at, attempt, progress, worker_id)
            SELECT id, started_seq, 'started', started_at, attempt, 0, worker_id FROM before WHERE started_seq IS NOT NULL
          )
          INSERT INTO task_events (task, seq, type, attempt, progress, message, worker_id)
          SELECT id, event_seq, ${to.event}, attempt, progress, ${message}, worker_id FROM q`
      })

      const requestCancel = Effect.fn("OutcomeRepo.requestCancel")(function*(task: LockedTask, reason: string) {
        const sealed = yield* text.seal(reason, EncryptedColumn.cancelReason, task.task_id)
        yield* sql`
          WITH q AS (
            UPDATE task_queue SET cancel_requested_at = now(), cancel_reason = ${sealed}, event_seq = event_seq + 1
            WHERE id = ${task.id}::int8 AND cancel_requested_at IS NULL
            RETURNING id, event_seq, attempt, progress, worker_id
          )
          INSERT INTO task_events (task, seq, type, attempt, progress, worker_id)
          SELECT id, event_seq, 'cancel_requested', attempt, progress, worker_id FROM q`
      })

      const sealedResult = ({ result, task_id }: Completion): Effect.Effect<string | null> =>
        result === "null" ? Effect.succeed(null) : text.seal(result, EncryptedColumn.taskResult, task_id)

      const completePlain: OutcomeRepo["Service"]["completePlain"] = Effect.fnUntraced(function*(completions) {
        const numbered = completions.flatMap((completion) => {
          const number = numberOf(completion.task_id)
          return number === undefined || completion.attempt === 0 ? [] : [{ ...completion, number }]
        })
        if (numbered.length === 0) return new Map()
        const results = numbered.every(({ result }) => result === "null") ? numbered.map(() => null) : yield* Effect.forEach(numbered, sealedResult)
        const said = rowSet(engine, numbered.map(({ number }) => number), {
          attempt: Column.int4(numbered.map(({ attempt }) => attempt)),
          session_id: Column.uuid(numbered.map(({ session_id }) => session_id)),
          result: Column.text(results)
        })
        const rows = yield* engine<PlainlyCompleted>`
          WITH d AS (
            DELETE FROM task_queue q
            USING ${said} n
            WHERE q.id = n.number AND q.attempt = n.attempt AND q.session_id = n.session_id AND q.state = 'running'
              AND q.cancel_requested_at IS NULL AND NOT q.dependents AND q.limit_key IS NULL
              AND NOT EXISTS (SELECT 1 FROM followed_organizations f WHERE f.organization_id = q.organization_id)
            RETURNING q.id, q.attempt, q.max_attempts, q.rescues, q.message, q.session_id, q.worker_id, q.started_at, q.started_seq,
              q.event_seq, n.result
          )
          UPDATE tasks t SET outcome = 'completed', result = d.result, attempt = d.attempt, max_attempts = d.max_attempts,
            rescues = d.rescues, progress = 100, message = d.message, session_id = d.session_id, worker_id = d.worker_id,
            started_at = d.started_at, started_seq = d.started_seq, event_seq = d.event_seq + 1, completed_at = clock_timestamp()
          FROM d WHERE t.id = d.id
          RETURNING t.task_id, t.kind, t.user_id, t.worker_id, t.attempt, t.traceparent,
            extract(epoch FROM t.completed_at - t.created_at)::float8 AS age_seconds`
        return new Map(rows.map((row) => [row.task_id, row]))
      })

      /** Each task at most once. */
      const note = Effect.fnUntraced(function*(notes: ReadonlyArray<ProgressNote & { readonly number: bigint }>) {
        const messages = yield* Effect.forEach(notes, ({ message, task_id }) => text.seal(message, EncryptedColumn.queueMessage, task_id))
        const said = rowSet(engine, notes.map(({ number }) => number), {
          attempt: Column.int4(notes.map(({ attempt }) => attempt)),
          session_id: Column.uuid(notes.map(({ session_id }) => session_id)),
          progress: Column.int4(notes.map(({ progress }) => progress)),
          message: Column.text(messages)
        })
        const rows = yield* engine<{ number: bigint; answer: "noted" | "behind" | "cancelled" }>`
          WITH held AS (
            SELECT q.id, n.progress, n.message, CASE WHEN q.cancel_requested_at IS NOT NULL THEN 'cancelled'
              WHEN q.progress <= n.progress THEN 'noted' ELSE 'behind' END AS answer
            FROM ${said} n JOIN task_queue q ON q.id = n.number
            WHERE q.state = 'running' AND q.session_id = n.session_id AND (n.attempt = 0 OR q.attempt = n.attempt)
            ORDER BY q.id FOR UPDATE OF q
          ), q AS (
            UPDATE task_queue q SET progress = held.progress, message = held.message, event_seq = q.event_seq + 1
            FROM held WHERE held.answer = 'noted' AND q.id = held.id
            RETURNING q.id, q.event_seq, q.attempt, q.progress, q.message, q.worker_id
          ), noted AS (
            INSERT INTO task_events (task, seq, type, attempt, progress, message, worker_id)
            SELECT id, event_seq, 'progress', attempt, progress, message, worker_id FROM q
          )
          SELECT id AS number, answer FROM held`
        return new Map(rows.map(({ answer, number }) => [number, answer]))
      })

      /** Ids of earlier versions do not name their number. */
      const numbered = Effect.fnUntraced(function*(notes: ReadonlyArray<ProgressNote>) {
        const unnamed = notes.filter(({ task_id }) => numberOf(task_id) === undefined).map(({ task_id }) => task_id)
        const found = unnamed.length === 0 ? [] : yield* sql<{ task_id: TaskId; id: bigint }>`
          SELECT task_id, id FROM tasks WHERE task_id = ANY (${texts(unnamed)}) AND id < 1099511627776`
        const early = new Map(found.map(({ id, task_id }) => [task_id, id]))
        return notes.map((note) => ({ ...note, number: numberOf(note.task_id) ?? early.get(note.task_id) ?? -1n }))
      })

      const progress: OutcomeRepo["Service"]["progress"] = Effect.fn("OutcomeRepo.progress")(function*(notes) {
        const all = yield* numbered(notes)
        // The n-th note of each task belongs to the n-th round.
        const seen = new Map<bigint, number>()
        const rounds = all.map(({ number }) => {
          const round = seen.get(number) ?? 0
          seen.set(number, round + 1)
          return round
        })
        const answers = yield* Effect.forEach(Array.from({ length: Math.max(0, ...seen.values()) }, (_, round) => round), (round) =>
          note(all.filter((_, index) => rounds[index] === round)))
        return all.map(({ number }, index): ProgressAnswer => answers[rounds[index] ?? 0]?.get(number) ?? "not_held")
      })

      return OutcomeRepo.of({ end, requeue, requestCancel, completePlain, progress })
    })
  )
}
