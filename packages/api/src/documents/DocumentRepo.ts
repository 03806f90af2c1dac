/** Documents in PostgreSQL, titles and sources encrypted. Every method joins a transaction that is open. */
import { DocumentFormat, KnowledgeDocument } from "@englog/domain/documents/Document"
import { DocumentKey, OrganizationId, TaskId, type UserId } from "@englog/domain/Ids"
import { TaskState, toPublicState } from "@englog/domain/tasks/TaskState"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** What of a document a submission says; what it leaves out stays, or takes its default. */
export interface Submitted {
  readonly organization_id: OrganizationId
  readonly submitted_by: UserId
  readonly document_id: string
  readonly title: string | undefined
  /** Undefined: what was handed in before is processed anew. `content` null: it was uploaded. */
  readonly source: { readonly content: string | null; readonly encoded: boolean; readonly format: DocumentFormat } | undefined
  readonly chunk_size: number | undefined
  readonly overlap: number | undefined
}

/** What its processing task needs of it. */
export interface SourceDocument {
  readonly key: DocumentKey
  readonly organization_id: OrganizationId
  readonly document_id: string
  readonly revision: number
  /** Null: it is an upload of so many parts. */
  readonly content: string | null
  readonly encoded: boolean
  readonly parts: number
  /** With those that no search finds. */
  readonly stored_chunks: number
  readonly format: DocumentFormat
  readonly chunk_size: number
  readonly overlap: number
}

export interface Processed {
  readonly chunks: number
  readonly words: number
  readonly characters: number
  readonly model: string
  readonly title: string | null
}

export type ListedDocument = { readonly document: KnowledgeDocument } & Cursor

export class DocumentRepo extends Context.Service<DocumentRepo, {
  /** None where nothing was handed in before and there is no source. Locks the document. */
  readonly submit: (submitted: Submitted) => Effect.Effect<Option.Option<{ readonly key: DocumentKey; readonly revision: number }>, SqlError>
  readonly processedBy: (key: DocumentKey, task_id: TaskId) => Effect.Effect<void, SqlError>
  /** How many an organization would have with these. */
  readonly countWith: (organization_id: OrganizationId, document_ids: ReadonlyArray<string>) => Effect.Effect<number, SqlError>
  readonly find: (organization_id: OrganizationId, document_id: string) => Effect.Effect<Option.Option<KnowledgeDocument>, SqlError>
  /** Newest first. */
  readonly list: (organization_id: OrganizationId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedDocument>, SqlError>
  readonly remove: (organization_id: OrganizationId, document_id: string) => Effect.Effect<boolean, SqlError>
  readonly source: (key: DocumentKey) => Effect.Effect<Option.Option<SourceDocument>, SqlError>
  readonly isCurrent: (key: DocumentKey, revision: number) => Effect.Effect<boolean, SqlError>
  /** Its name and newest revision; locked until the transaction ends. */
  readonly lock: (key: DocumentKey) => Effect.Effect<Option.Option<typeof LockedDocument.Type>, SqlError>
  readonly finish: (key: DocumentKey, processed: Processed) => Effect.Effect<void, SqlError>
}>()("@englog/api/documents/DocumentRepo") {
  static readonly layer: Layer.Layer<DocumentRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    DocumentRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const sealedTitle = (key: string, title: string | null | undefined) =>
        title == null ? Effect.succeed(null) : cipher.encrypt(title, EncryptedColumn.documentTitle, key)

      const sealedSource = (key: string, source: string | null | undefined) =>
        source == null ? Effect.succeed(null) : cipher.encrypt(source, EncryptedColumn.documentSource, key)

      const keyOf = Effect.fnUntraced(function*(organization_id: OrganizationId, document_id: string) {
        const rows = yield* sql`SELECT key FROM documents WHERE organization_id = ${organization_id}::uuid AND document_id = ${document_id} FOR UPDATE`
        return rows[0] === undefined ? Option.none() : Option.some((yield* Effect.orDie(decodeKey(rows[0]))).key)
      })

      const insert = Effect.fnUntraced(function*({ source, ...document }: Submitted) {
        if (source === undefined) return Option.none()
        const key = DocumentKey.make(randomUUID())
        const { chunk_size, overlap } = limitsOf(document)
        const rows = yield* sql`
          INSERT INTO documents (key, organization_id, document_id, submitted_by, title, format, source, encoded, chunk_size, overlap)
          VALUES (${key}::uuid, ${document.organization_id}::uuid, ${document.document_id}, ${document.submitted_by}::uuid,
            ${yield* sealedTitle(key, document.title)}, ${source.format},
            ${yield* sealedSource(key, source.content)}::text, ${source.encoded}, ${chunk_size}::int, ${overlap}::int)
          ON CONFLICT (organization_id, document_id) DO NOTHING RETURNING key, revision`
        return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeRevision(rows[0])))
      })

      const update = Effect.fnUntraced(function*(key: DocumentKey, { chunk_size, overlap, source, submitted_by, title }: Submitted) {
        const size = chunk_size ?? null
        const rows = yield* sql`
          UPDATE documents SET revision = revision + 1, updated_at = now(), submitted_by = ${submitted_by}::uuid,
            title = coalesce(${yield* sealedTitle(key, title)}::text, title), source = CASE WHEN ${source === undefined} THEN source ELSE ${yield* sealedSource(key, source?.content)}::text END,
            encoded = coalesce(${source?.encoded ?? null}::bool, encoded), format = coalesce(${source?.format ?? null}::text, format),
            chunk_size = coalesce(${size}::int, chunk_size),
            overlap = coalesce(${overlap ?? null}::int, CASE WHEN ${size}::int IS NULL THEN overlap ELSE least(200, ${size}::int / 10) END)
          WHERE key = ${key}::uuid RETURNING key, revision`
        return Option.some(yield* Effect.orDie(decodeRevision(rows[0])))
      })

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, state, title, ...row } = yield* decodeDocument(raw)
        const document = new KnowledgeDocument({
          ...row,
          title: title === null ? null : yield* cipher.decrypt(title, EncryptedColumn.documentTitle, row.key),
          // What was done stays done: a task's record goes after a while, and one that failed may have been replayed as another.
          status: row.searched_revision === row.revision ? "completed" : state === null ? "failed" : toPublicState(state)
        })
        return { document, micros, id: row.key }
      }, Effect.orDie)

      const select = Effect.fnUntraced(function*(organization_id: OrganizationId, where: Fragment, more = sql``) {
        const rows = yield* sql`
          SELECT d.document_id, d.key, d.organization_id, d.title, d.format, d.chunk_size, d.overlap, d.revision, d.searched_revision,
            t.task_id, coalesce(t.outcome, q.state) AS state, d.chunks, d.words, d.characters, d.model, d.created_at, d.updated_at, d.processed_at,
            (EXTRACT(EPOCH FROM d.created_at) * 1000000)::bigint::text AS micros
          FROM documents d LEFT JOIN tasks t ON t.task_id = d.task_id LEFT JOIN task_queue q ON q.id = t.id
          WHERE d.organization_id = ${organization_id}::uuid AND ${where} ${more}`
        return yield* Effect.forEach(rows, fromRow)
      })

      return DocumentRepo.of({
        submit: Effect.fn("DocumentRepo.submit")(function*(submitted) {
          const known = yield* keyOf(submitted.organization_id, submitted.document_id)
          if (Option.isSome(known)) return yield* update(known.value, submitted)
          const inserted = yield* insert(submitted)
          if (Option.isSome(inserted) || submitted.source === undefined) return inserted
          // Somebody else was first at this moment.
          const other = yield* keyOf(submitted.organization_id, submitted.document_id)
          return Option.isSome(other) ? yield* update(other.value, submitted) : Option.none()
        }),
        processedBy: Effect.fn("DocumentRepo.processedBy")((key, task_id) =>
          Effect.asVoid(sql`UPDATE documents SET task_id = ${task_id} WHERE key = ${key}::uuid`)
        ),
        countWith: Effect.fn("DocumentRepo.countWith")(function*(organization_id, document_ids) {
          const rows = yield* sql`
            SELECT count(*)::int AS count FROM (
              SELECT d.document_id FROM documents d WHERE d.organization_id = ${organization_id}::uuid
              UNION SELECT jsonb_array_elements_text(${JSON.stringify(document_ids)}::jsonb)) u`
          return (yield* Effect.orDie(decodeCount(rows[0]))).count
        }),
        find: Effect.fn("DocumentRepo.find")((organization_id, document_id) =>
          Effect.map(select(organization_id, sql`d.document_id = ${document_id}`), ([found]) => Option.fromUndefinedOr(found?.document))
        ),
        list: Effect.fn("DocumentRepo.list")((organization_id, after, limit) => {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ id, micros }) =>
              sql`(d.created_at, d.key) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          return select(organization_id, place, sql`ORDER BY d.created_at DESC, d.key DESC LIMIT ${limit}::int`)
        }),
        remove: Effect.fn("DocumentRepo.remove")(function*(organization_id, document_id) {
          return yield* sql.withTransaction(Effect.gen(function*() {
            const key = yield* keyOf(organization_id, document_id)
            if (Option.isNone(key)) return false
            // In portions, so that no statement takes longer than one may.
            const portion = sql`
              DELETE FROM document_chunks WHERE id IN (SELECT id FROM document_chunks WHERE document = ${key.value}::uuid LIMIT ${PORTION}::int) RETURNING id`
            yield* Effect.repeat(portion, { until: (rows) => rows.length < PORTION })
            yield* sql`DELETE FROM documents WHERE key = ${key.value}::uuid`
            return true
          }))
        }),
        source: Effect.fn("DocumentRepo.source")(function*(key) {
          const rows = yield* sql`
            SELECT d.key, d.organization_id, d.document_id, d.revision, d.source, d.encoded, coalesce(u.parts, 0) AS parts, d.stored_chunks, d.format,
              d.chunk_size, d.overlap
            FROM documents d LEFT JOIN document_uploads u ON u.document = d.key WHERE d.key = ${key}::uuid`
          if (rows[0] === undefined) return Option.none()
          const { source, ...row } = yield* Effect.orDie(decodeSource(rows[0]))
          const content = source === null ? null : yield* Effect.orDie(cipher.decrypt(source, EncryptedColumn.documentSource, key))
          return Option.some({ ...row, content })
        }),
        isCurrent: Effect.fn("DocumentRepo.isCurrent")((key, revision) =>
          Effect.map(sql`SELECT key FROM documents WHERE key = ${key}::uuid AND revision = ${revision}::int`, (rows) => rows.length > 0)),
        lock: Effect.fn("DocumentRepo.lock")(function*(key) {
          const rows = yield* sql`SELECT document_id, organization_id, revision, stored_chunks FROM documents WHERE key = ${key}::uuid FOR UPDATE`
          return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeLocked(rows[0])))
        }),
        finish: Effect.fn("DocumentRepo.finish")(function*(key, { characters, chunks, model, title, words }) {
          yield* sql`
            UPDATE documents SET searched_revision = revision, processed_at = now(), chunks = ${chunks}::int, words = ${words}::int,
              characters = ${characters}::int, model = ${model}, title = coalesce(title, ${yield* sealedTitle(key, title)}::text)
            WHERE key = ${key}::uuid`
        })
      })
    })
  )
}

/** Chunks that are deleted at once. */
const PORTION = 5_000

export const DEFAULT_CHUNK_SIZE = 1_000

/** A tenth of the size, where nothing is said. */
export const limitsOf = (given: { readonly chunk_size?: number | undefined; readonly overlap?: number | undefined }) => {
  const chunk_size = given.chunk_size ?? DEFAULT_CHUNK_SIZE
  return { chunk_size, overlap: given.overlap ?? Math.min(200, Math.floor(chunk_size / 10)) }
}

type Fragment = ReturnType<SqlClient.SqlClient["and"]>

const { created_at: _created, processed_at: _processed, status: _status, updated_at: _updated, ...plain } = KnowledgeDocument.fields

const decodeDocument = Schema.decodeUnknownEffect(Schema.Struct({
  ...plain,
  state: Schema.NullOr(TaskState),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  processed_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  micros: Schema.String
}))
const decodeKey = Schema.decodeUnknownEffect(Schema.Struct({ key: DocumentKey }))
const decodeRevision = Schema.decodeUnknownEffect(Schema.Struct({ key: DocumentKey, revision: Schema.Int }))
const decodeCount = Schema.decodeUnknownEffect(Schema.Struct({ count: Schema.Int }))
const LockedDocument = Schema.Struct({ document_id: Schema.String, organization_id: OrganizationId, revision: Schema.Int, stored_chunks: Schema.Int })
const decodeLocked = Schema.decodeUnknownEffect(LockedDocument)
const decodeSource = Schema.decodeUnknownEffect(Schema.Struct({
  key: DocumentKey,
  organization_id: OrganizationId,
  document_id: Schema.String,
  revision: Schema.Int,
  source: Schema.NullOr(Schema.String),
  encoded: Schema.Boolean,
  parts: Schema.Int,
  stored_chunks: Schema.Int,
  format: DocumentFormat,
  chunk_size: Schema.Int,
  overlap: Schema.Int
}))
