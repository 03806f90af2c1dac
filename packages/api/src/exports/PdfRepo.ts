/** Performance reviews in PostgreSQL, titles and documents encrypted. Every method joins a transaction that is open. */
import { InsightId, type PdfId, TaskId, UserId } from "@englog/domain/Ids"
import { PDF_DAYS } from "@englog/rpc/http/PdfView"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export interface NewPdf {
  readonly id: PdfId
  readonly user_id: UserId
  readonly task_id: TaskId
  readonly title: string
  readonly period_start: string
  readonly period_end: string
  readonly with_insight: boolean
  readonly insight_id: InsightId | null
}

/** A review without its document. */
export type Pdf = Omit<NewPdf, "id">

export class PdfRepo extends Context.Service<PdfRepo, {
  readonly insert: (pdf: NewPdf) => Effect.Effect<void, SqlError>
  readonly find: (user: UserId, id: PdfId) => Effect.Effect<Option.Option<Pdf>, SqlError>
  /** False where there is none any more. */
  readonly setDocument: (user: UserId, id: PdfId, document: string, pages: number) => Effect.Effect<boolean, SqlError>
  /** Base64; none before it is made and after it has expired. */
  readonly document: (user: UserId, id: PdfId) => Effect.Effect<Option.Option<string>, SqlError>
  readonly remove: (user: UserId, id: PdfId) => Effect.Effect<boolean, SqlError>
  /** Answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/exports/PdfRepo") {
  static readonly layer = Layer.effect(
    PdfRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const own = (user: UserId, id: PdfId) => sql`id = ${id} AND user_id = ${user} AND expires_at > now()`

      return PdfRepo.of({
        insert: Effect.fn("PdfRepo.insert")(function*({ id, insight_id, period_end, period_start, task_id, title, user_id, with_insight }) {
          yield* sql`
            INSERT INTO pdf_exports (id, user_id, task_id, title, period_start, period_end, with_insight, insight_id, expires_at)
            VALUES (${id}::uuid, ${user_id}::uuid, ${task_id}, ${yield* cipher.encrypt(title, EncryptedColumn.pdfTitle, id)},
              ${period_start}::text::date, ${period_end}::text::date, ${with_insight}::boolean, ${insight_id}::uuid, now() + ${PDF_DAYS}::int * interval '1 day')`
        }),
        find: Effect.fn("PdfRepo.find")(function*(user, id) {
          const rows = yield* sql`
            SELECT user_id, task_id, title, period_start::text AS period_start, period_end::text AS period_end, with_insight, insight_id
            FROM pdf_exports WHERE ${own(user, id)}`
          if (rows[0] === undefined) return Option.none()
          const row = yield* Effect.orDie(decodeRow(rows[0]))
          return Option.some({ ...row, title: yield* Effect.orDie(cipher.decrypt(row.title, EncryptedColumn.pdfTitle, id)) })
        }),
        setDocument: Effect.fn("PdfRepo.setDocument")(function*(user, id, document, pages) {
          const sealed = yield* cipher.encrypt(document, EncryptedColumn.pdfDocument, id)
          const rows = yield* sql`UPDATE pdf_exports SET document = ${sealed}, pages = ${pages}::int WHERE ${own(user, id)} RETURNING id`
          return rows.length > 0
        }),
        document: Effect.fn("PdfRepo.document")(function*(user, id) {
          const rows = yield* sql`SELECT document FROM pdf_exports WHERE ${own(user, id)} AND document IS NOT NULL`
          if (rows[0] === undefined) return Option.none()
          const { document } = yield* Effect.orDie(decodeDocument(rows[0]))
          return Option.some(yield* Effect.orDie(cipher.decrypt(document, EncryptedColumn.pdfDocument, id)))
        }),
        remove: Effect.fn("PdfRepo.remove")((user, id) =>
          Effect.map(sql`DELETE FROM pdf_exports WHERE ${own(user, id)} RETURNING id`, (rows) => rows.length > 0)),
        removeExpired: Effect.map(sql`DELETE FROM pdf_exports WHERE expires_at <= now() RETURNING id`, (rows) => rows.length).pipe(
          Effect.withSpan("PdfRepo.removeExpired")
        )
      })
    })
  )
}

const decodeDocument = Schema.decodeUnknownEffect(Schema.Struct({ document: Schema.String }))
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  user_id: UserId,
  task_id: TaskId,
  title: Schema.String,
  period_start: Schema.String,
  period_end: Schema.String,
  with_insight: Schema.Boolean,
  insight_id: Schema.NullOr(InsightId)
}))
