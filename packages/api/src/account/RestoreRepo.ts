/**
 * An account's records into PostgreSQL, as ExportRepo reads them out of it. Every method belongs into one transaction of its
 * caller.
 */
import type { GoalId, UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Predicate, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { encryptedColumns } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { TagNameRepo } from "../tags/TagNameRepo.ts"

/** Columns and their values, plain; all rows of one call have the same ones. */
export interface RestoredRow {
  readonly [column: string]: Schema.Json
}

export interface GoalTags {
  readonly goal: GoalId
  readonly tags: ReadonlyArray<string>
}

export class RestoreRepo extends Context.Service<RestoreRepo, {
  /** Keeps everybody from recording anything for the user until the transaction ends, and waits for those who do. */
  readonly lock: (user: UserId) => Effect.Effect<void, SqlError>
  /** What the user has already of what an import brings. */
  readonly occupied: (user: UserId) => Effect.Effect<ReadonlyArray<string>, SqlError>
  /** Those of the names that are predefined tags. */
  readonly predefined: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, SqlError>
  /** What is to be encrypted is, bound to the row's primary key; what is no text there is kept as JSON. */
  readonly insert: (table: string, rows: ReadonlyArray<RestoredRow>) => Effect.Effect<void, SqlError>
  readonly tagGoals: (user: UserId, goals: ReadonlyArray<GoalTags>) => Effect.Effect<void, SqlError>
}>()("@englog/api/account/RestoreRepo") {
  static readonly layer = Layer.effect(
    RestoreRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const names = yield* TagNameRepo

      const sealed = Effect.fnUntraced(function*(table: string, row: RestoredRow) {
        const written: Record<string, Schema.Json> = { ...row }
        for (const column of encryptedColumns.filter((one) => one.table === table)) {
          const value = row[column.column] ?? null
          if (value === null) continue
          const text = Predicate.isString(value) ? value : JSON.stringify(value)
          written[column.column] = yield* cipher.encrypt(text, column, column.key.map(({ name }) => String(row[name])).join("/"))
        }
        return written
      })

      const insertPortion = Effect.fnUntraced(function*(table: string, rows: ReadonlyArray<RestoredRow>) {
        const columns = sql.csv(Object.keys(rows[0] ?? {}).map((column) => sql`${sql(column)}`))
        const written = yield* Effect.forEach(rows, (row) => sealed(table, row))
        yield* sql`
          INSERT INTO ${sql(table)} (${columns})
          SELECT ${columns} FROM jsonb_populate_recordset(NULL::${sql(table)}, ${JSON.stringify(written)}::jsonb)`
        // Others must have their turn in between.
        yield* Effect.yieldNow
      })

      return RestoreRepo.of({
        lock: Effect.fn("RestoreRepo.lock")((user) => Effect.asVoid(sql`SELECT 1 AS one FROM users WHERE id = ${user} FOR UPDATE`)),
        occupied: Effect.fn("RestoreRepo.occupied")(function*(user) {
          const rows = yield* sql`
            SELECT s.name FROM (VALUES
              (1, 'entries', EXISTS (SELECT 1 FROM log_entries WHERE user_id = ${user})),
              (2, 'projects', EXISTS (
                SELECT 1 FROM projects p JOIN organizations o ON o.id = p.organization_id WHERE p.created_by = ${user} OR o.personal_of = ${user})),
              (3, 'tags', EXISTS (SELECT 1 FROM tags WHERE user_id = ${user})),
              (4, 'goals', EXISTS (SELECT 1 FROM goals WHERE user_id = ${user})),
              (5, 'insights', EXISTS (SELECT 1 FROM insights WHERE user_id = ${user})),
              (6, 'imports', EXISTS (SELECT 1 FROM imports WHERE user_id = ${user}) OR EXISTS (SELECT 1 FROM proposals WHERE user_id = ${user})),
              (7, 'documents', EXISTS (SELECT 1 FROM documents d JOIN organizations o ON o.id = d.organization_id WHERE o.personal_of = ${user}))
            ) AS s (place, name, present) WHERE s.present ORDER BY s.place`
          return (yield* Effect.orDie(decodeNames(rows))).map(({ name }) => name)
        }),
        predefined: Effect.fn("RestoreRepo.predefined")(function*(given) {
          const rows = yield* sql`
            SELECT name FROM tags WHERE user_id IS NULL AND name IN (SELECT jsonb_array_elements_text(${JSON.stringify(given)}::jsonb))`
          return (yield* Effect.orDie(decodeNames(rows))).map(({ name }) => name)
        }),
        insert: Effect.fn("RestoreRepo.insert")(function*(table, rows) {
          for (let from = 0; from < rows.length; from += PORTION) yield* insertPortion(table, rows.slice(from, from + PORTION))
        }),
        tagGoals: Effect.fn("RestoreRepo.tagGoals")(function*(user, goals) {
          yield* names.ensure(user, goals.flatMap(({ tags }) => tags))
          const uses = goals.flatMap(({ goal, tags }) => [...new Set(tags)].map((name) => ({ goal, name })))
          yield* sql`
            INSERT INTO goal_tags (goal_id, tag_id)
            SELECT u.goal, t.id FROM jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) AS u (goal uuid, name text)
            JOIN tags t ON t.name = u.name AND (t.user_id IS NULL OR t.user_id = ${user}::uuid)`
        })
      })
    })
  ).pipe(Layer.provide(TagNameRepo.layer))
}

/** A statement may not take long: each row has hundreds of words in an index. */
const PORTION = 250

const decodeNames = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ name: Schema.String })))
