/** Imports in PostgreSQL. Every method joins a transaction that is open. */
import { ImportId, TaskId, type UserId } from "@englog/domain/Ids"
import { ImportProblem } from "@englog/domain/imports/ImportedItem"
import { ImportRecord } from "@englog/domain/imports/ImportRecord"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { TaskState, toPublicState } from "@englog/domain/tasks/TaskState"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

export interface NewImport {
  readonly id: ImportId
  readonly user_id: UserId
  readonly source: string
  readonly task_id: TaskId
  readonly period: ImportPeriod | null
  /** What names the place it reads, if that is the same the next time. */
  readonly feed: string | null
}

/** What one part of an import came to. */
export interface PartCounts {
  readonly created: number
  readonly updated: number
  readonly corrections: number
  readonly removed: number
  readonly unchanged: number
  readonly skipped: number
  readonly problem_count: number
}

/** What is asked of an import while a part of it is stored. */
export interface OpenImport {
  readonly part: number
  readonly problem_count: number
  readonly period_from: DateTime.Utc | null
  readonly period_to: DateTime.Utc | null
  readonly feed_digest: Uint8Array | null
  readonly problems: ReadonlyArray<ImportProblem>
}

export interface ListedImport extends Cursor {
  readonly record: ImportRecord
}

export class ImportRepo extends Context.Service<ImportRepo, {
  readonly insert: (made: NewImport) => Effect.Effect<void, SqlError>
  /** None where it is gone with its owner. */
  readonly lock: (user: UserId, id: ImportId) => Effect.Effect<Option.Option<OpenImport>, SqlError>
  readonly add: (id: ImportId, counts: PartCounts, problems: ReadonlyArray<ImportProblem>) => Effect.Effect<void, SqlError>
  /** The next part is read by another task. */
  readonly goOn: (id: ImportId, task_id: TaskId) => Effect.Effect<void, SqlError>
  readonly complete: (id: ImportId, outcome: "completed" | "partial") => Effect.Effect<void, SqlError>
  readonly find: (user: UserId, id: ImportId) => Effect.Effect<Option.Option<ImportRecord>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (user: UserId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedImport>, SqlError>
}>()("@englog/api/imports/ImportRepo") {
  static readonly layer: Layer.Layer<ImportRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    ImportRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const opened = (sealed: string | null, id: ImportId) =>
        sealed === null
          ? Effect.succeed([])
          : Effect.flatMap(cipher.decrypt(sealed, EncryptedColumn.importProblems, id), decodeProblems)

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { error, micros, problems, state, ...row } = yield* decodeRow(raw)
        const record = new ImportRecord({
          ...row,
          // The record of an ended task is not kept for ever.
          state: row.outcome === null ? state === null ? "failed" : toPublicState(state) : "completed",
          error: error === null ? null : yield* cipher.decrypt(error, EncryptedColumn.taskError, row.task_id),
          problems: yield* opened(problems, row.id)
        })
        return { record, micros, id: row.id }
      }, Effect.orDie)

      const select = Effect.fnUntraced(function*(where: ReturnType<typeof sql.and>, more = sql``) {
        const rows = yield* sql`
          SELECT i.id, i.source, i.task_id, i.part, i.outcome, i.period_from, i.period_to, i.created, i.updated, i.corrections, i.removed,
            i.unchanged, i.skipped, i.problem_count, i.problems, i.created_at, i.completed_at, t.error,
            coalesce(t.outcome, q.state) AS state,
            (EXTRACT(EPOCH FROM i.created_at) * 1000000)::bigint::text AS micros
          FROM imports i LEFT JOIN tasks t ON t.task_id = i.task_id LEFT JOIN task_queue q ON q.id = t.id
          WHERE ${where} ${more}`
        return yield* Effect.forEach(rows, fromRow)
      })

      return ImportRepo.of({
        insert: Effect.fn("ImportRepo.insert")(function*({ feed, id, period, source, task_id, user_id }) {
          yield* sql`
            INSERT INTO imports (id, user_id, source, task_id, feed_digest, period_from, period_to)
            VALUES (${id}, ${user_id}, ${source}, ${task_id}, ${feed === null ? null : cipher.digests(Buffer.from(feed), FEED)[0]},
              ${period === null ? null : DateTime.toDateUtc(period.from)}, ${period === null ? null : DateTime.toDateUtc(period.to)})`
        }),
        lock: Effect.fn("ImportRepo.lock")(function*(user, id) {
          const [row] = yield* sql`
            SELECT part, problem_count, period_from, period_to, feed_digest, problems FROM imports
            WHERE id = ${id} AND user_id = ${user} FOR UPDATE`
          if (row === undefined) return Option.none()
          const { problems, ...found } = yield* Effect.orDie(decodeOpen(row))
          return Option.some({ ...found, problems: yield* Effect.orDie(opened(problems, id)) })
        }),
        add: Effect.fn("ImportRepo.add")(function*(id, counts, problems) {
          const sealed = problems.length === 0
            ? null
            : yield* cipher.encrypt(yield* Effect.orDie(encodeProblems(problems)), EncryptedColumn.importProblems, id)
          yield* sql`
            UPDATE imports SET created = created + ${counts.created}::int, updated = updated + ${counts.updated}::int,
              corrections = corrections + ${counts.corrections}::int, removed = removed + ${counts.removed}::int,
              unchanged = unchanged + ${counts.unchanged}::int, skipped = skipped + ${counts.skipped}::int,
              problem_count = problem_count + ${counts.problem_count}::int, problems = ${sealed}
            WHERE id = ${id}`
        }),
        goOn: Effect.fn("ImportRepo.goOn")((id, task_id) =>
          Effect.asVoid(sql`UPDATE imports SET task_id = ${task_id}, part = part + 1 WHERE id = ${id}`)
        ),
        complete: Effect.fn("ImportRepo.complete")((id, outcome) =>
          Effect.asVoid(sql`UPDATE imports SET outcome = ${outcome}, completed_at = now() WHERE id = ${id}`)
        ),
        find: Effect.fn("ImportRepo.find")((user, id) =>
          Effect.map(select(sql`i.id = ${id} AND i.user_id = ${user}`), ([found]) => Option.fromUndefinedOr(found?.record))
        ),
        list: Effect.fn("ImportRepo.list")((user, after, limit) => {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ id, micros }) =>
              sql`(i.created_at, i.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          return select(sql`i.user_id = ${user} AND ${place}`, sql`ORDER BY i.created_at DESC, i.id DESC LIMIT ${limit}`)
        })
      })
    })
  )
}

const FEED = "imports.feed_digest"

const Problems = Schema.fromJsonString(Schema.Array(ImportProblem))
const decodeProblems = Schema.decodeEffect(Problems)
const encodeProblems = Schema.encodeEffect(Problems)

const NullableTime = Schema.NullOr(Schema.DateTimeUtcFromDate)

const decodeOpen = Schema.decodeUnknownEffect(Schema.Struct({
  part: Schema.Int,
  problem_count: Schema.Int,
  period_from: NullableTime,
  period_to: NullableTime,
  feed_digest: Schema.NullOr(Schema.Uint8Array),
  problems: Schema.NullOr(Schema.String)
}))

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: ImportId,
  source: Schema.String,
  task_id: TaskId,
  state: Schema.NullOr(TaskState),
  part: Schema.Int,
  outcome: Schema.NullOr(Schema.Literals(["completed", "partial"])),
  error: Schema.NullOr(Schema.String),
  period_from: NullableTime,
  period_to: NullableTime,
  created: Schema.Int,
  updated: Schema.Int,
  corrections: Schema.Int,
  removed: Schema.Int,
  unchanged: Schema.Int,
  skipped: Schema.Int,
  problem_count: Schema.Int,
  problems: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromDate,
  completed_at: NullableTime,
  micros: Schema.String
}))
