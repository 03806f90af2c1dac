/** A person's records as the database has them, decrypted, page by page: a reader who is slow holds no connection. */
import type { UserId } from "@englog/domain/Ids"
import type { ExportRecord } from "@englog/rpc/http/AccountView"
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { type EncryptedColumn, encryptedColumns } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { PersonalTable } from "./PersonalTables.ts"

export class ExportRepo extends Context.Service<ExportRepo, {
  /** As it is while it is read. */
  readonly section: (of: PersonalTable, user: UserId) => Stream.Stream<ExportRecord, SqlError>
}>()("@englog/api/account/ExportRepo") {
  static readonly layer = Layer.effect(
    ExportRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const page = Effect.fnUntraced(function*(of: PersonalTable, user: UserId, after: ReadonlyArray<string>) {
        const sealed = sealedColumns(of)
        const key = of.key.map(({ name }) => `v.${name}`).join(", ")
        const place = after.length === 0
          ? sql`TRUE`
          : sql`(${sql.literal(key)}) > (${sql.csv(of.key.map(({ type }, index) => sql`${after[index] ?? ""}::text::${sql.literal(type)}`))})`
        const more = Object.entries(of.more ?? {}).map(([name, field]) => `'${name}', ${field}`).join(", ")
        const rows = yield* sql`
          SELECT ARRAY[${sql.literal(of.key.map(({ name }) => `v.${name}::text`).join(", "))}] AS key,
            (to_jsonb(v) || jsonb_build_object(${sql.literal(more.replaceAll("$user", `'${user}'::uuid`))}))
              - ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(of.without ?? [])}::jsonb)) AS record,
            ${sql.literal(sealed[0]?.row ?? "NULL::text")} AS row
          FROM ${sql(of.table)} v WHERE ${sql.literal(of.whose.replaceAll("$user", `'${user}'::uuid`))} AND ${place}
          ORDER BY ${sql.literal(key)} LIMIT ${of.page ?? PAGE}::int`
        return yield* Effect.orDie(decodeRows(rows))
      })

      const unsealed = Effect.fnUntraced(function*(of: PersonalTable, { record, row }: typeof Row.Type) {
        const plain: Record<string, Schema.Json> = { ...record }
        for (const column of sealedColumns(of)) {
          const value = record[column.column]
          if (typeof value !== "string") continue
          const text = yield* cipher.decrypt(value, column, row ?? "")
          plain[column.column] = of.json?.includes(column.column) === true ? yield* decodeJson(text) : text
        }
        return { section: of.section, record: plain }
      }, Effect.orDie)

      const section: ExportRepo["Service"]["section"] = (of, user) =>
        Stream.paginate<ReadonlyArray<string>, ExportRecord, SqlError>([], Effect.fnUntraced(function*(after) {
          const rows = yield* page(of, user, after)
          const last = rows.length < (of.page ?? PAGE) ? undefined : rows.at(-1)
          return [yield* Effect.forEach(rows, (row) => unsealed(of, row)), Option.fromUndefinedOr(last?.key)] as const
        }))

      return ExportRepo.of({ section })
    })
  )
}

/** Some hundred kB of text at most, where insights are long. */
const PAGE = 200

const sealedColumns = ({ table, without = [] }: PersonalTable): ReadonlyArray<EncryptedColumn> =>
  encryptedColumns.filter((column) => column.table === table && !without.includes(column.column))

const Row = Schema.Struct({
  key: Schema.Array(Schema.String),
  record: Schema.Record(Schema.String, Schema.Json),
  /** To what the encrypted values of the row are bound: one name for all columns of a table. */
  row: Schema.NullOr(Schema.String)
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))
