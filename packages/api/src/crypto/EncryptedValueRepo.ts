/**
 * Encrypted values as the rotation of keys sees them, column by column of the registry: counted, read in batches along the
 * primary key, and replaced only where they still are what was read. Every statement commits by itself.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import type { EncryptedColumn, PlainColumn } from "./EncryptedColumns.ts"

/** A value with its place; `key` is the primary key as text, column by column. */
export interface StoredValue {
  readonly key: ReadonlyArray<string>
  /** What it is bound to. */
  readonly row: string
  readonly value: string
}

/** What is to take its place. */
export interface NextValue extends StoredValue {
  readonly next: string
}

export interface KeyUse {
  readonly format: string
  readonly key_id: string
  readonly count: number
}

export class EncryptedValueRepo extends Context.Service<EncryptedValueRepo, {
  /** API servers that run now and cannot read what this key encrypts. */
  readonly serversWithout: (key_id: string) => Effect.Effect<number, SqlError>
  readonly countByKey: (column: EncryptedColumn) => Effect.Effect<ReadonlyArray<KeyUse>, SqlError>
  /** Up to `limit` values that do not begin with `prefix`, after `after` in the order of the primary key. */
  readonly outdated: (column: EncryptedColumn, prefix: string, after: ReadonlyArray<string>, limit: number) => Effect.Effect<
    ReadonlyArray<StoredValue>,
    SqlError
  >
  /** Answers how many still were what they are to be replaced for; the others changed meanwhile and stay. */
  readonly replace: (column: EncryptedColumn, values: ReadonlyArray<NextValue>) => Effect.Effect<
    number,
    SqlError
  >
  /** Up to `limit` texts that are still plain. */
  readonly plain: (column: PlainColumn, limit: number) => Effect.Effect<ReadonlyArray<StoredValue>, SqlError>
  /** Moves them sealed into the encrypted column, where they still are what was read. */
  readonly seal: (column: PlainColumn, values: ReadonlyArray<NextValue>) => Effect.Effect<number, SqlError>
}>()("@englog/api/crypto/EncryptedValueRepo") {
  static readonly layer = Layer.effect(
    EncryptedValueRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient

      const serversWithout = Effect.fn("EncryptedValueRepo.serversWithout")(function*(key_id: string) {
        const rows = yield* sql`
          SELECT count(*)::int AS count FROM replicas
          WHERE seen_at > now() - ${SIGN_OF_LIFE}::text::interval AND NOT ${key_id} = ANY (key_ids)`
        return (yield* Effect.orDie(decodeCount(rows[0]))).count
      })

      const countByKey = Effect.fn("EncryptedValueRepo.countByKey")(function*({ column, table }: EncryptedColumn) {
        const value = sql`v.${sql(column)}`
        const rows = yield* sql`
          SELECT split_part(${value}, ':', 1) AS format, split_part(${value}, ':', 2) AS key_id, count(*)::int AS count
          FROM ${sql(table)} v WHERE ${value} IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`
        return yield* Effect.orDie(decodeUses(rows))
      })

      const outdated: EncryptedValueRepo["Service"]["outdated"] = Effect.fn("EncryptedValueRepo.outdated")(
        function*(column, prefix, after, limit) {
          const value = sql`v.${sql(column.column)}`
          const key = keyOf(column.key)
          const rows = yield* sql`
            SELECT ${sql.literal(key.asText)} AS key, ${sql.literal(column.row)} AS row, ${value} AS value FROM ${sql(column.table)} v
            WHERE ${value} IS NOT NULL AND NOT starts_with(${value}, ${prefix}) AND ${beyond(column.key, after)}
            ORDER BY ${sql.literal(key.list)} LIMIT ${limit}::int`
          return yield* Effect.orDie(decodeValues(rows))
        }
      )

      const beyond = (key: EncryptedColumn["key"], after: ReadonlyArray<string>) => {
        const last = key.flatMap(({ type }, index) => after[index] === undefined ? [] : [sql`${after[index]}::text::${sql.literal(type)}`])
        return last.length === 0 ? sql`TRUE` : sql`(${sql.literal(keyOf(key).list)}) > (${sql.csv(last)})`
      }

      const replace: EncryptedValueRepo["Service"]["replace"] = Effect.fn("EncryptedValueRepo.replace")(function*(column, values) {
        const name = sql(column.column)
        const rows = yield* sql`
          UPDATE ${sql(column.table)} v SET ${name} = n.next FROM ${records(column, values)}
          WHERE ${matching(column.key)} AND v.${name} = n.value RETURNING 1 AS one`
        return rows.length
      })

      const plain: EncryptedValueRepo["Service"]["plain"] = Effect.fn("EncryptedValueRepo.plain")(function*({ into, plain, text }, limit) {
        const rows = yield* sql`
          SELECT ${sql.literal(keyOf(into.key).asText)} AS key, ${sql.literal(into.row)} AS row, ${sql.literal(text)} AS value
          FROM ${sql(into.table)} v WHERE v.${sql(plain)} IS NOT NULL LIMIT ${limit}::int`
        return yield* Effect.orDie(decodeValues(rows))
      })

      const seal: EncryptedValueRepo["Service"]["seal"] = Effect.fn("EncryptedValueRepo.seal")(function*({ into, plain, text }, values) {
        const rows = yield* sql`
          UPDATE ${sql(into.table)} v SET ${sql(into.column)} = n.next, ${sql(plain)} = NULL FROM ${records(into, values)}
          WHERE ${matching(into.key)} AND ${sql.literal(text)} = n.value RETURNING 1 AS one`
        return rows.length
      })

      const records = (column: EncryptedColumn, values: ReadonlyArray<NextValue>) => {
        const rows = values.map(({ key, next, value }) => ({
          ...Object.fromEntries(column.key.map(({ name }, index) => [name, key[index]])),
          value,
          next
        }))
        const types = [...column.key.map(({ name, type }) => `${name} ${type}`), "value text", "next text"].join(", ")
        return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS n (${sql.literal(types)})`
      }
      const matching = (key: EncryptedColumn["key"]) => sql.literal(key.map(({ name }) => `v.${name} = n.${name}`).join(" AND "))

      return EncryptedValueRepo.of({ serversWithout, countByKey, outdated, replace, plain, seal })
    })
  )
}

const keyOf = (key: EncryptedColumn["key"]) => ({
  list: key.map(({ name }) => `v.${name}`).join(", "),
  asText: `ARRAY[${key.map(({ name }) => `v.${name}::text`).join(", ")}]`
})

/** A server signs in every second; one that was killed is not waited for longer than this. */
const SIGN_OF_LIFE = "15 seconds"

const decodeCount = Schema.decodeUnknownEffect(Schema.Struct({ count: Schema.Int }))
const decodeUses = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ format: Schema.String, key_id: Schema.String, count: Schema.Int }))
)
const decodeValues = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ key: Schema.Array(Schema.String), row: Schema.String, value: Schema.String }))
)
