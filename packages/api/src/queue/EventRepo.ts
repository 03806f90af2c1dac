/**
 * The history of a task, in SQL. The first event, the start of the newest attempt and the end are what the task's record says;
 * those between have rows of their own.
 */
import type { TaskId } from "@englog/domain/Ids"
import { TaskEventRecord } from "@englog/domain/tasks/Task"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { isTask } from "./TaskNumbers.ts"
import { TaskText } from "./TaskText.ts"

/** Events of one read at most, so that a slow reader of a long history costs bounded memory. */
export const PAGE = 200

export interface HistoryPage {
  readonly events: ReadonlyArray<TaskEventRecord>
  /** Number of the task's newest event. */
  readonly last: number
  /** No event follows `last`: it has ended, or its record is gone. */
  readonly ended: boolean
}

export class EventRepo extends Context.Service<EventRepo, {
  /** Events after number `seq`, in one statement. */
  readonly read: (task_id: TaskId, seq: number) => Effect.Effect<HistoryPage, SqlError>
}>()("@englog/api/queue/EventRepo") {
  static readonly layer = Layer.effect(
    EventRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText

      const opened = Effect.fnUntraced(function*(task_id: TaskId, { error, ...event }: typeof StoredEvent.Type) {
        const message = error === null
          ? yield* text.open(event.message, EncryptedColumn.eventMessage, task_id)
          : yield* text.open(error, EncryptedColumn.taskError, task_id)
        return new TaskEventRecord({ ...event, message })
      })

      return EventRepo.of({
        read: Effect.fn("EventRepo.read")(function*(task_id, seq) {
          const rows = yield* sql`
            WITH t AS (
              SELECT t.id, t.created_at, t.outcome, t.completed_at, t.error, t.event_seq, coalesce(t.event_seq, q.event_seq) AS last,
                coalesce(t.attempt, q.attempt) AS attempt, coalesce(t.started_seq, q.started_seq) AS started_seq,
                coalesce(t.started_at, q.started_at) AS started_at, coalesce(t.worker_id, q.worker_id) AS worker_id, t.progress, t.message
              FROM tasks t LEFT JOIN task_queue q ON q.id = t.id WHERE ${isTask(sql, task_id)}
            ), history AS (
              SELECT 1 AS seq, 'queued' AS type, created_at AS at, 0 AS attempt, 0 AS progress, NULL AS message, NULL AS error, NULL AS worker_id
              FROM t
              UNION ALL
              SELECT e.seq, e.type, e.at, e.attempt, e.progress, e.message, NULL, e.worker_id FROM t JOIN task_events e ON e.task = t.id
              WHERE e.seq > ${seq}::int
              UNION ALL
              SELECT started_seq, 'started', started_at, attempt, 0, NULL, NULL, worker_id FROM t WHERE started_seq IS NOT NULL
              UNION ALL
              SELECT event_seq, outcome, completed_at, attempt, progress, message, error, worker_id FROM t WHERE outcome IS NOT NULL
            )
            SELECT t.last, t.outcome IS NOT NULL AS ended, h.* FROM t LEFT JOIN history h ON h.seq > ${seq}::int
            ORDER BY h.seq LIMIT ${PAGE}`
          const [task] = yield* Effect.orDie(decodeTask(rows))
          if (task === undefined) return { events: [], last: seq, ended: true }
          const stored = yield* Effect.orDie(decodeEvents(rows.filter((row) => row["seq"] !== null)))
          return { ...task, events: yield* Effect.forEach(stored, (event) => opened(task_id, event)) }
        })
      })
    })
  )
}

const StoredEvent = Schema.Struct({ ...TaskEventRecord.fields, error: Schema.NullOr(Schema.String) })
const decodeEvents = Schema.decodeUnknownEffect(Schema.Array(StoredEvent))
const decodeTask = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ last: Schema.Int, ended: Schema.Boolean })))
