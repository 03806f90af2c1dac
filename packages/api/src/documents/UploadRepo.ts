/**
 * Uploaded documents in PostgreSQL, in encrypted parts of at most 1 MiB that are read and written one by one. An upload is its
 * uploader's until a document takes it.
 */
import { DocumentFormat } from "@englog/domain/documents/Document"
import { DocumentUpload, MAX_OPEN_UPLOADS, MAX_UPLOADED_BYTES, uploadLife } from "@englog/domain/documents/DocumentUpload"
import { type DocumentKey, OrganizationId, UploadId, type UserId } from "@englog/domain/Ids"
import { Context, DateTime, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export type Opening =
  | { readonly _tag: "Opened"; readonly upload: UploadId }
  | { readonly _tag: "Full"; readonly limit: "person" | "organization" }

export interface Uploader {
  readonly organization_id: OrganizationId
  readonly user_id: UserId
}

export class UploadRepo extends Context.Service<UploadRepo, {
  /** A new one without any part. */
  readonly open: (by: Uploader, format: DocumentFormat) => Effect.Effect<Opening, SqlError>
  readonly append: (upload: UploadId, place: number, bytes: Uint8Array) => Effect.Effect<void, SqlError>
  /** All of it is there. None where it has gone meanwhile. */
  readonly complete: (upload: UploadId, size: { readonly parts: number; readonly bytes: number }) => Effect.Effect<Option.Option<DocumentUpload>, SqlError>
  /** Of somebody's; false where there is none. */
  readonly remove: (upload: UploadId, by: UserId) => Effect.Effect<boolean, SqlError>
  /** Inside a transaction: the format of a whole upload that no document has taken; locked, so that one takes it. */
  readonly lock: (upload: UploadId, by: Uploader) => Effect.Effect<Option.Option<DocumentFormat>, SqlError>
  /** Inside a transaction: what the document had uploaded before goes. */
  readonly give: (upload: UploadId | undefined, to: DocumentKey) => Effect.Effect<void, SqlError>
  /** Of a document's upload, from 0. */
  readonly part: (document: DocumentKey, place: number) => Effect.Effect<Option.Option<Uint8Array>, SqlError>
  /** Those that no document took in time, and those that were cut off and could not be removed then. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/documents/UploadRepo") {
  static readonly layer: Layer.Layer<UploadRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    UploadRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      /** It came to its end, or its connection did. */
      const expired = sql`
        (created_at < now() - ${LIFE}::text::interval OR (completed_at IS NULL AND created_at < now() - ${CUT_OFF}::text::interval))`

      const open: UploadRepo["Service"]["open"] = Effect.fn("UploadRepo.open")(function*({ organization_id, user_id }, format) {
        return yield* sql.withTransaction(Effect.gen(function*(): Effect.fn.Return<Opening, SqlError> {
          // Of two uploads at once, one counts the other.
          yield* sql`SELECT id FROM users WHERE id = ${user_id}::uuid FOR NO KEY UPDATE`
          const rows = yield* sql`
            SELECT (SELECT count(*)::int FROM document_uploads WHERE user_id = ${user_id}::uuid AND NOT ${expired}) AS open,
              (SELECT coalesce(sum(bytes), 0)::float8 FROM document_uploads WHERE organization_id = ${organization_id}::uuid) AS bytes`
          const used = yield* Effect.orDie(decodeUse(rows[0]))
          if (used.open >= MAX_OPEN_UPLOADS) return { _tag: "Full", limit: "person" }
          if (used.bytes >= MAX_UPLOADED_BYTES) return { _tag: "Full", limit: "organization" }
          const id = UploadId.make(randomUUID())
          yield* sql`
            INSERT INTO document_uploads (id, organization_id, user_id, format) VALUES (${id}::uuid, ${organization_id}::uuid, ${user_id}::uuid, ${format})`
          return { _tag: "Opened", upload: id }
        }))
      })

      const removeSome = sql`
        DELETE FROM document_uploads WHERE id IN (
          SELECT id FROM document_uploads WHERE document IS NULL AND ${expired} LIMIT ${PORTION}::int)
        RETURNING id`

      return UploadRepo.of({
        open,
        append: Effect.fn("UploadRepo.append")(function*(upload, place, bytes) {
          const sealed = yield* cipher.encrypt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"), EncryptedColumn.uploadPart, rowOf(upload, place))
          yield* sql`INSERT INTO document_upload_parts (upload, place, content) VALUES (${upload}::uuid, ${place}::int, ${sealed})`
        }),
        complete: Effect.fn("UploadRepo.complete")(function*(upload, { bytes, parts }) {
          const rows = yield* sql`
            UPDATE document_uploads SET completed_at = now(), bytes = ${bytes}::int, parts = ${parts}::int WHERE id = ${upload}::uuid
            RETURNING id AS upload_id, organization_id, format, bytes, created_at`
          if (rows[0] === undefined) return Option.none()
          const row = yield* Effect.orDie(decodeUpload(rows[0]))
          return Option.some(new DocumentUpload({ ...row, expires_at: DateTime.addDuration(row.created_at, uploadLife) }))
        }),
        remove: Effect.fn("UploadRepo.remove")((upload, by) =>
          Effect.map(sql`DELETE FROM document_uploads WHERE id = ${upload}::uuid AND user_id = ${by}::uuid RETURNING id`, (rows) => rows.length > 0)),
        lock: Effect.fn("UploadRepo.lock")(function*(upload, { organization_id, user_id }) {
          const rows = yield* sql`
            SELECT format FROM document_uploads WHERE id = ${upload}::uuid AND user_id = ${user_id}::uuid AND organization_id = ${organization_id}::uuid
              AND completed_at IS NOT NULL AND created_at > now() - ${LIFE}::text::interval FOR UPDATE`
          return rows[0] === undefined ? Option.none() : Option.some((yield* Effect.orDie(decodeFormat(rows[0]))).format)
        }),
        give: Effect.fn("UploadRepo.give")(function*(upload, to) {
          yield* sql`DELETE FROM document_uploads WHERE document = ${to}::uuid`
          if (upload !== undefined) yield* sql`UPDATE document_uploads SET user_id = NULL, document = ${to}::uuid WHERE id = ${upload}::uuid`
        }),
        part: Effect.fn("UploadRepo.part")(function*(document, place) {
          const rows = yield* sql`
            SELECT p.upload, p.content FROM document_upload_parts p JOIN document_uploads u ON u.id = p.upload
            WHERE u.document = ${document}::uuid AND p.place = ${place}::int`
          if (rows[0] === undefined) return Option.none()
          const { content, upload } = yield* Effect.orDie(decodePart(rows[0]))
          const text = yield* Effect.orDie(cipher.decrypt(content, EncryptedColumn.uploadPart, rowOf(upload, place)))
          return Option.some<Uint8Array>(Buffer.from(text, "base64"))
        }),
        removeExpired: Effect.gen(function*() {
          let removed = 0
          while (true) {
            const { length } = yield* removeSome
            removed += length
            if (length < PORTION) return removed
          }
        }).pipe(Effect.withSpan("UploadRepo.removeExpired"))
      })
    })
  )
}

/** To what a part is bound. */
const rowOf = (upload: UploadId, place: number): string => `${upload}/${place}`

const LIFE = `${Duration.toSeconds(uploadLife)} seconds`

/** No request takes that long. */
const CUT_OFF = "1 hour"

/** Up to 1 GiB: no statement may take longer than 5 s. */
const PORTION = 20

const decodeUse = Schema.decodeUnknownEffect(Schema.Struct({ open: Schema.Int, bytes: Schema.Finite }))
const decodeUpload = Schema.decodeUnknownEffect(Schema.Struct({
  upload_id: UploadId,
  organization_id: OrganizationId,
  format: DocumentFormat,
  bytes: Schema.Int,
  created_at: Schema.DateTimeUtcFromDate
}))
const decodeFormat = Schema.decodeUnknownEffect(Schema.Struct({ format: DocumentFormat }))
const decodePart = Schema.decodeUnknownEffect(Schema.Struct({ upload: UploadId, content: Schema.String }))
