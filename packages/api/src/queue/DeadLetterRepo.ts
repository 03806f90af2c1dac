/**
 * Dead letters: tasks that failed for good or expired, each kept with its payload, error and history until its record goes.
 * Each is replayed once; the row's lock decides between two who try.
 */
import type { OrganizationId, TaskId } from "@englog/domain/Ids"
import { DeadLetter } from "@englog/domain/tasks/DeadLetter"
import { Task } from "@englog/domain/tasks/Task"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { RetryPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Context, Effect, Layer, Option, Schema, Struct } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { TaskText } from "./TaskText.ts"

/** `number`: the task's, in decimal. */
const ListedDeadLetter = Schema.Struct({ ...DeadLetter.fields, number: Schema.String })
export type ListedDeadLetter = typeof ListedDeadLetter.Type

/** With everything that is needed to start it anew. Times in milliseconds. */
const WholeDeadLetter = Schema.Struct({
  ...DeadLetter.fields,
  ...Struct.pick(Task.fields, ["payload", "unique_key"]),
  private_input: Schema.NullOr(Schema.String),
  /** With what its key says now. */
  limit: Schema.NullOr(Schema.Struct({ key: Schema.String, max_running: Schema.NullOr(Schema.Int), interval: Schema.NullOr(Schema.Int) })),
  attempt_timeout: Schema.Int,
  deadline: Schema.Finite,
  result_ttl: Schema.Finite,
  retry: RetryPolicy
})
export type WholeDeadLetter = typeof WholeDeadLetter.Type

export interface DeadLetterFilter {
  readonly organization_id?: OrganizationId
  readonly kind?: string
  readonly queue?: string
  /** Only those that were not replayed yet. */
  readonly unplayed?: boolean
}

export class DeadLetterRepo extends Context.Service<DeadLetterRepo, {
  /** The newest first, below a number. */
  readonly list: (filter: DeadLetterFilter, below: string | null, limit: number) => Effect.Effect<ReadonlyArray<ListedDeadLetter>, SqlError>
  readonly find: (task_id: TaskId) => Effect.Effect<Option.Option<WholeDeadLetter>, SqlError>
  /** The same, locked until the transaction around it ends. */
  readonly lock: (task_id: TaskId) => Effect.Effect<Option.Option<WholeDeadLetter>, SqlError>
  /** Takes the unique key from its record, so that the replay can have it. */
  readonly giveUpKey: (task_id: TaskId) => Effect.Effect<void, SqlError>
  readonly noteReplay: (task_id: TaskId, replayed_as: TaskId) => Effect.Effect<void, SqlError>
}>()("@englog/api/queue/DeadLetterRepo") {
  static readonly layer = Layer.effect(
    DeadLetterRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText

      const columns = sql.literal(`t.task_id, t.kind, t.name, t.queue, t.priority, t.organization_id, t.user_id,
        t.reason, t.error, t.attempt, t.created_at, d.failed_at, d.replayed_as`)
      const whole = sql.literal(`t.payload::text AS payload, t.private_input, t.unique_key, t.attempt_timeout_ms AS attempt_timeout,
        CASE WHEN t.limit_key IS NOT NULL THEN json_build_object('key', t.limit_key, 'max_running', l.max_running, 'interval', l.interval_ms) END AS limit,
        (extract(epoch FROM t.deadline - t.created_at) * 1000)::float8 AS deadline, (t.result_ttl_seconds * 1000::float8) AS result_ttl, t.retry`)

      const opened = Effect.fnUntraced(function*<Row extends typeof DeadLetter.Type>(letter: Row) {
        return {
          ...letter,
          name: yield* text.open(letter.name, EncryptedColumn.taskName, letter.task_id),
          error: yield* text.open(letter.error, EncryptedColumn.taskError, letter.task_id)
        }
      })

      const one = (task_id: TaskId, locking: "" | "FOR UPDATE OF d") =>
        Effect.gen(function*() {
          const rows = yield* sql`
            SELECT ${columns}, ${whole} FROM dead_letters d JOIN tasks t ON t.id = d.id
              LEFT JOIN task_limits l ON l.organization_id = t.organization_id AND l.limit_key = t.limit_key
            WHERE d.id = ${numberOf(task_id) ?? -1n}::int8 AND t.task_id = ${task_id} ${sql.literal(locking)}`
          const [found] = yield* Effect.orDie(decodeWhole(rows))
          if (found === undefined) return Option.none<WholeDeadLetter>()
          const private_input = yield* text.open(found.private_input, EncryptedColumn.taskPrivateInput, task_id)
          return Option.some<WholeDeadLetter>({ ...(yield* opened(found)), private_input })
        })

      return DeadLetterRepo.of({
        list: Effect.fn("DeadLetterRepo.list")(function*({ kind, organization_id, queue, unplayed = false }, below, limit) {
          const rows = yield* sql`
            SELECT d.id::text AS number, ${columns} FROM dead_letters d JOIN tasks t ON t.id = d.id
            WHERE (${organization_id ?? null}::text IS NULL OR d.organization_id = ${organization_id ?? null}::text::uuid)
              AND (${below}::text IS NULL OR d.id < ${below}::text::int8)
              AND (${kind ?? null}::text IS NULL OR d.kind = ${kind ?? null}::text)
              AND (${queue ?? null}::text IS NULL OR d.queue = ${queue ?? null}::text)
              AND (NOT ${unplayed}::bool OR d.replayed_as IS NULL)
            ORDER BY d.id DESC LIMIT ${limit}::int`
          return yield* Effect.forEach(yield* Effect.orDie(decodeList(rows)), opened)
        }),
        find: Effect.fn("DeadLetterRepo.find")((task_id) => one(task_id, "")),
        lock: Effect.fn("DeadLetterRepo.lock")((task_id) => one(task_id, "FOR UPDATE OF d")),
        giveUpKey: Effect.fn("DeadLetterRepo.giveUpKey")(function*(task_id) {
          yield* sql`UPDATE tasks SET unique_key = NULL WHERE id = ${numberOf(task_id) ?? -1n}::int8`
        }),
        noteReplay: Effect.fn("DeadLetterRepo.noteReplay")(function*(task_id, replayed_as) {
          yield* sql`UPDATE dead_letters SET replayed_as = ${replayed_as} WHERE id = ${numberOf(task_id) ?? -1n}::int8`
        })
      })
    })
  )
}

const decodeList = Schema.decodeUnknownEffect(Schema.Array(ListedDeadLetter))
const decodeWhole = Schema.decodeUnknownEffect(Schema.Array(WholeDeadLetter))
