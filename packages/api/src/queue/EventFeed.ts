/**
 * A task's history as a stream: everything after a given number, then what happens from now on, until the task ends.
 * Readers take events from the database, so nothing that was committed is missed; wake-ups only say when to look. The first
 * event, the start of the newest attempt and the end are what the task's record says; those between have rows of their own.
 */
import type { TaskId } from "@englog/domain/Ids"
import { TaskEventRecord } from "@englog/domain/tasks/Task"
import { Context, Effect, Layer, Queue, Ref, Schedule, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { outageOf } from "../db/Outage.ts"
import { isTask } from "./TaskNumbers.ts"
import { TaskText } from "./TaskText.ts"
import { Wakeups } from "./Wakeups.ts"

export class EventFeed extends Context.Service<EventFeed, {
  readonly after: (task_id: TaskId, seq: number) => Effect.Effect<ReadonlyArray<TaskEventRecord>, SqlError>
  /** Ends after the task's last event, at once where that was seen already. Fails only when the database does. */
  readonly follow: (task_id: TaskId, afterSeq: number) => Stream.Stream<TaskEventRecord, SqlError>
}>()("@englog/api/queue/EventFeed") {
  static readonly layer = Layer.effect(
    EventFeed,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText
      const wakeups = yield* Wakeups

      const after = Effect.fn("EventFeed.after")(function*(task_id: TaskId, seq: number) {
        const rows = yield* sql`
          WITH t AS (
            SELECT t.id, t.created_at, t.outcome, t.completed_at, t.error, t.event_seq,
              coalesce(t.attempt, q.attempt) AS attempt, coalesce(t.started_seq, q.started_seq) AS started_seq,
              coalesce(t.started_at, q.started_at) AS started_at, coalesce(t.worker_id, q.worker_id) AS worker_id, t.progress, t.message
            FROM tasks t LEFT JOIN task_queue q ON q.id = t.id WHERE ${isTask(sql, task_id)}
          )
          SELECT * FROM (
            SELECT 1 AS seq, 'queued' AS type, created_at AS at, 0 AS attempt, 0 AS progress, NULL AS message, NULL AS error, NULL AS worker_id
            FROM t
            UNION ALL
            SELECT e.seq, e.type, e.at, e.attempt, e.progress, e.message, NULL, e.worker_id FROM t JOIN task_events e ON e.task = t.id
            WHERE e.seq > ${seq}::int
            UNION ALL
            SELECT started_seq, 'started', started_at, attempt, 0, NULL, NULL, worker_id FROM t WHERE started_seq IS NOT NULL
            UNION ALL
            SELECT event_seq, outcome, completed_at, attempt, progress, message, error, worker_id FROM t WHERE outcome IS NOT NULL
          ) history WHERE seq > ${seq}::int ORDER BY seq LIMIT ${PAGE}`
        const events = yield* Effect.orDie(decodeEvents(rows))
        return yield* Effect.forEach(events, ({ error, ...event }) =>
          Effect.map(
            error === null
              ? text.open(event.message, EncryptedColumn.eventMessage, task_id)
              : text.open(error, EncryptedColumn.taskError, task_id),
            (message) => new TaskEventRecord({ ...event, message })
          ))
      })

      /** Nothing comes after `seq` any more. */
      const isOver = Effect.fn("EventFeed.isOver")(function*(task_id: TaskId, seq: number) {
        const rows = yield* sql`
          SELECT 1 FROM tasks t WHERE ${isTask(sql, task_id)} AND (t.outcome IS NULL OR t.event_seq > ${seq}::int)`
        return rows.length === 0
      })

      const follow = (task_id: TaskId, afterSeq: number) =>
        Stream.unwrap(Effect.gen(function*() {
          const wake = yield* wakeups.subscribe(`task:${task_id}`)
          const seen = yield* Ref.make(afterSeq)
          // A reader waits out an outage: what it has not seen is still there afterwards.
          const next = Effect.gen(function*() {
            const seq = yield* Ref.get(seen)
            const page = yield* after(task_id, seq)
            const last = page.at(-1)
            if (last !== undefined) yield* Ref.set(seen, last.seq)
            else if (yield* isOver(task_id, seq)) return undefined
            else yield* Queue.take(wake).pipe(Effect.timeoutOption(POLL))
            return page
          }).pipe(Effect.retry({ while: (error) => outageOf(error) !== undefined, schedule: Schedule.spaced(RETRY) }))
          return Stream.fromEffectRepeat(next).pipe(
            Stream.takeWhile((page) => page !== undefined),
            Stream.flatMap((page) => Stream.fromIterable(page)),
            Stream.takeUntil((event) => isLast(event))
          )
        }))

      return EventFeed.of({ after, follow })
    })
  )
}

/** Events per read, so that a slow reader of a long history costs bounded memory. */
const PAGE = 200

/** Between two looks while the database is away. */
const RETRY = "1 second"

/** The safety net under the wake-ups. */
const POLL = "2 seconds"

/** The event that ends a task's history. */
export const isLast = (event: TaskEventRecord): boolean =>
  event.type === "completed" || event.type === "failed" || event.type === "cancelled" || event.type === "expired"

const decodeEvents = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ...TaskEventRecord.fields, error: Schema.NullOr(Schema.String) }))
)
