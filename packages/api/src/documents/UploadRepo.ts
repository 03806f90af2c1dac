/**
 * Uploaded documents in PostgreSQL, in encrypted parts that are read and written one by one: of 1 MiB each, but for the last. An
 * upload is its uploader's until a document takes it. Who adds to it says how many bytes it has: of two at once, one adds nothing.
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

/** A part and where it stands; what a part is that is not whole yet, its next version replaces. */
export interface UploadPart {
  readonly place: number
  readonly content: Uint8Array
}

export interface Uploader {
  readonly organization_id: OrganizationId
  readonly user_id: UserId
}

export class UploadRepo extends Context.Service<UploadRepo, {
  /** A new one without any part. */
  readonly open: (by: Uploader, upload: { readonly format: DocumentFormat; readonly resumable: boolean }) => Effect.Effect<Opening, SqlError>
  /** Of somebody's that has not come to its end, and that no document has taken. */
  readonly find: (upload: UploadId, by: UserId) => Effect.Effect<Option.Option<DocumentUpload>, SqlError>
  /** A part of one that no document has taken. */
  readonly stored: (upload: UploadId, place: number) => Effect.Effect<Option.Option<Uint8Array>, SqlError>
  /** False, and nothing stored, where it has another number of bytes than `after`, is complete, or has gone. */
  readonly append: (upload: UploadId, after: number, part: UploadPart) => Effect.Effect<boolean, SqlError>
  /** All of it is there. None where it has another number of bytes, is complete, or has gone. */
  readonly complete: (upload: UploadId, bytes: number) => Effect.Effect<Option.Option<DocumentUpload>, SqlError>
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

      /** It came to its end, or its connection did with which it ends. */
      const expired = sql`
        (created_at < now() - ${LIFE}::text::interval
          OR (completed_at IS NULL AND NOT resumable AND created_at < now() - ${CUT_OFF}::text::interval))`

      const columns = sql`id AS upload_id, organization_id, format, bytes, completed_at IS NOT NULL AS complete, created_at`

      const uploadOf = Effect.fnUntraced(function*(rows: ReadonlyArray<unknown>) {
        if (rows[0] === undefined) return Option.none()
        const row = yield* Effect.orDie(decodeUpload(rows[0]))
        return Option.some(new DocumentUpload({ ...row, expires_at: DateTime.addDuration(row.created_at, uploadLife) }))
      })

      const bytesOf = Effect.fnUntraced(function*(rows: ReadonlyArray<unknown>, place: number) {
        if (rows[0] === undefined) return Option.none()
        const { content, upload } = yield* decodePart(rows[0])
        return Option.some<Uint8Array>(Buffer.from(yield* cipher.decrypt(content, EncryptedColumn.uploadPart, rowOf(upload, place)), "base64"))
      }, Effect.orDie)

      const open: UploadRepo["Service"]["open"] = Effect.fn("UploadRepo.open")(function*({ organization_id, user_id }, { format, resumable }) {
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
            INSERT INTO document_uploads (id, organization_id, user_id, format, resumable)
            VALUES (${id}::uuid, ${organization_id}::uuid, ${user_id}::uuid, ${format}, ${resumable})`
          return { _tag: "Opened", upload: id }
        }))
      })

      const removeSome = sql`
        DELETE FROM document_uploads WHERE id IN (
          SELECT id FROM document_uploads WHERE document IS NULL AND ${expired} LIMIT ${PORTION}::int)
        RETURNING id`

      return UploadRepo.of({
        open,
        find: Effect.fn("UploadRepo.find")((upload, by) =>
          Effect.flatMap(sql`SELECT ${columns} FROM document_uploads WHERE id = ${upload}::uuid AND user_id = ${by}::uuid AND NOT ${expired}`, uploadOf)),
        stored: Effect.fn("UploadRepo.stored")((upload, place) =>
          Effect.flatMap(sql`SELECT upload, content FROM document_upload_parts WHERE upload = ${upload}::uuid AND place = ${place}::int`, (rows) => bytesOf(rows, place))),
        append: Effect.fn("UploadRepo.append")(function*(upload, after, { content, place }) {
          const plain = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("base64")
          const sealed = yield* cipher.encrypt(plain, EncryptedColumn.uploadPart, rowOf(upload, place))
          const rows = yield* sql`
            WITH arrived AS (
              UPDATE document_uploads SET bytes = ${place * PART_BYTES + content.length}::int, parts = ${place + 1}::int
              WHERE id = ${upload}::uuid AND bytes = ${after}::int AND completed_at IS NULL RETURNING id)
            INSERT INTO document_upload_parts (upload, place, content) SELECT id, ${place}::int, ${sealed} FROM arrived
            ON CONFLICT (upload, place) DO UPDATE SET content = EXCLUDED.content RETURNING place`
          return rows.length > 0
        }),
        complete: Effect.fn("UploadRepo.complete")((upload, bytes) =>
          Effect.flatMap(sql`
            UPDATE document_uploads SET completed_at = now() WHERE id = ${upload}::uuid AND bytes = ${bytes}::int AND completed_at IS NULL
            RETURNING ${columns}`, uploadOf)),
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
          return yield* bytesOf(rows, place)
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

/** 1 MiB: of every part of an upload but its last. */
export const PART_BYTES = 1_048_576

/** To what a part is bound. */
const rowOf = (upload: UploadId, place: number): string => `${upload}/${place}`

const LIFE = `${Duration.toSeconds(uploadLife)} seconds`

/** No request takes that long: what is not to be resumed is cut off. */
const CUT_OFF = "1 hour"

/** Up to 1 GiB: no statement may take longer than 5 s. */
const PORTION = 20

const decodeUse = Schema.decodeUnknownEffect(Schema.Struct({ open: Schema.Int, bytes: Schema.Finite }))
const decodeUpload = Schema.decodeUnknownEffect(Schema.Struct({
  upload_id: UploadId,
  organization_id: OrganizationId,
  format: DocumentFormat,
  bytes: Schema.Int,
  complete: Schema.Boolean,
  created_at: Schema.DateTimeUtcFromDate
}))
const decodeFormat = Schema.decodeUnknownEffect(Schema.Struct({ format: DocumentFormat }))
const decodePart = Schema.decodeUnknownEffect(Schema.Struct({ upload: UploadId, content: Schema.String }))
