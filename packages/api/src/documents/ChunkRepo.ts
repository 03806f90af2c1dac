/**
 * Chunks in PostgreSQL: their text encrypted, their words as keyed digests, their vectors turned (docs/decisions/0039). Only
 * chunks that have a place in the newest processed revision are found. Every method joins a transaction that is open.
 */
import { ChunkId, type DocumentKey, type OrganizationId } from "@englog/domain/Ids"
import { wordsOf } from "@englog/domain/search/Words"
import { type ChunksPart, KNOWN_PAGE, type PlacesPart } from "@englog/domain/tasks/DocumentProcessing"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { turned, wordDigests } from "./KnowledgeSecret.ts"

/** Whose chunks, and under which secret. */
export interface Shelf {
  readonly organization_id: OrganizationId
  readonly secret: string
}

/** An attempt at processing a revision of a document. */
export interface PlacingAttempt {
  readonly document: DocumentKey
  readonly revision: number
  readonly attempt: number
}

export interface ModelUse {
  readonly model: string
  readonly dimension: number
}

export class ChunkRepo extends Context.Service<ChunkRepo, {
  /** A page of the ids of a document's chunks with or without a place, in their order. */
  readonly known: (document: DocumentKey, page: number) => Effect.Effect<ReadonlyArray<ChunkId>, SqlError>
  /** Without places; those that are there stay as they are. */
  readonly insert: (shelf: Shelf, document: DocumentKey, part: ChunksPart) => Effect.Effect<void, SqlError>
  /** Where an attempt wants chunks to stand; the last word of it counts. */
  readonly place: (by: PlacingAttempt, part: PlacesPart) => Effect.Effect<void, SqlError>
  /**
   * The document consists of the chunks that the attempt has placed from now on; the others go. None where it has not placed so
   * many, one after the other, each once and each stored: then nothing was changed.
   */
  readonly arrange: (by: PlacingAttempt, chunks: number) => Effect.Effect<Option.Option<{ readonly added: number; readonly removed: number }>, SqlError>
  /** No attempt's places are wanted any more. */
  readonly forgetPlaces: (document: DocumentKey, revision: number) => Effect.Effect<void, SqlError>
  /** Of which models an organization's searchable vectors are. */
  readonly models: (organization_id: OrganizationId) => Effect.Effect<ReadonlyArray<ModelUse>, SqlError>
}>()("@englog/api/documents/ChunkRepo") {
  static readonly layer: Layer.Layer<ChunkRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    ChunkRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const sealed = ({ secret }: Shelf, model: string) => {
        const digestOf = wordDigests(secret)
        return Effect.fnUntraced(function*({ heading_path, id, text, vector }: ChunksPart["chunks"][number]) {
          const words = wordsOf([...heading_path, text].join("\n"))
          return {
            id,
            heading_path: yield* cipher.encrypt(JSON.stringify(heading_path), EncryptedColumn.chunkHeadings, id),
            content: yield* cipher.encrypt(text, EncryptedColumn.chunkContent, id),
            word_digests: words.map(digestOf),
            word_count: words.length,
            // As many digits as a 32-bit float has.
            embedding: turned(secret, model, floatsOf(vector)).map((value) => Number(value.toPrecision(8)))
          }
        })
      }

      const arrange: ChunkRepo["Service"]["arrange"] = Effect.fn("ChunkRepo.arrange")(function*(by, chunks) {
        const { document } = by
        const rows = yield* sql`
          SELECT count(DISTINCT p.chunk)::int AS placed, count(c.id)::int AS found, coalesce(max(p.place), -1) + 1 AS until,
            count(*) FILTER (WHERE c.place IS NULL)::int AS added
          FROM document_places p LEFT JOIN document_chunks c ON c.id = p.chunk AND c.document = p.document WHERE ${placedBy(by)}`
        const { added, found, placed, until } = yield* Effect.orDie(decodeFound(rows[0]))
        if (placed !== chunks || found !== chunks || until !== chunks) return Option.none()
        let removed = 0
        // In portions, so that no statement takes longer than one may.
        while (true) {
          const gone = yield* sql`
            DELETE FROM document_chunks WHERE id IN (
              SELECT c.id FROM document_chunks c WHERE c.document = ${document}::uuid
                AND NOT EXISTS (SELECT 1 FROM document_places p WHERE ${placedBy(by)} AND p.chunk = c.id) LIMIT ${PORTION}::int)
            RETURNING (place IS NOT NULL) AS placed`
          removed += (yield* Effect.orDie(decodeGone(gone))).filter(({ placed }) => placed).length
          if (gone.length < PORTION) break
        }
        for (let first = 0; first < chunks; first += PORTION) {
          yield* sql`
            UPDATE document_chunks c SET place = p.place, start_at = p.start_at, core_at = p.core_at, end_at = p.end_at
            FROM document_places p WHERE ${placedBy(by)} AND p.place >= ${first}::int AND p.place < ${first + PORTION}::int AND c.id = p.chunk
              AND (c.place, c.start_at, c.core_at, c.end_at) IS DISTINCT FROM (p.place, p.start_at, p.core_at, p.end_at)`
        }
        yield* sql`UPDATE documents SET stored_chunks = ${chunks}::int WHERE key = ${document}::uuid`
        return Option.some({ added, removed })
      })

      const placedBy = ({ attempt, document, revision }: PlacingAttempt) =>
        sql`p.document = ${document}::uuid AND p.revision = ${revision}::int AND p.attempt = ${attempt}::int`

      return ChunkRepo.of({
        arrange,
        known: Effect.fn("ChunkRepo.known")(function*(document, page) {
          const rows = yield* sql`
            SELECT id FROM document_chunks WHERE document = ${document}::uuid ORDER BY id LIMIT ${KNOWN_PAGE}::int OFFSET ${page * KNOWN_PAGE}::int`
          return (yield* Effect.orDie(decodeIds(rows))).map(({ id }) => id)
        }),
        place: Effect.fn("ChunkRepo.place")(function*({ attempt, document, revision }, { first, places }) {
          const records = JSON.stringify(places.map(([chunk, start_at, core_at, end_at], index) => ({ place: first + index, chunk, start_at, core_at, end_at })))
          yield* sql`
            INSERT INTO document_places (document, revision, attempt, place, chunk, start_at, core_at, end_at)
            SELECT ${document}::uuid, ${revision}::int, ${attempt}::int, n.place, n.chunk, n.start_at, n.core_at, n.end_at
            FROM jsonb_to_recordset(${records}::jsonb) AS n (place int, chunk uuid, start_at int, core_at int, end_at int)
            ON CONFLICT (document, revision, attempt, place)
            DO UPDATE SET chunk = excluded.chunk, start_at = excluded.start_at, core_at = excluded.core_at, end_at = excluded.end_at`
        }),
        forgetPlaces: Effect.fn("ChunkRepo.forgetPlaces")((document, revision) =>
          Effect.asVoid(sql`DELETE FROM document_places WHERE document = ${document}::uuid AND revision <= ${revision}::int`)),
        insert: Effect.fn("ChunkRepo.insert")(function*(shelf, document, { chunks, model }) {
          const rows = yield* Effect.forEach(chunks, sealed(shelf, model))
          const added = yield* sql`
            INSERT INTO document_chunks (id, document, organization_id, heading_path, content, word_digests, word_count, model, embedding)
            SELECT n.id, ${document}::uuid, ${shelf.organization_id}::uuid, n.heading_path, n.content, n.word_digests, n.word_count, ${model}, n.embedding
            FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
              AS n (id uuid, heading_path text, content text, word_digests bigint[], word_count int, embedding real[])
            ON CONFLICT (id) DO NOTHING RETURNING id`
          yield* sql`UPDATE documents SET stored_chunks = stored_chunks + ${added.length}::int WHERE key = ${document}::uuid`
        }),
        models: Effect.fn("ChunkRepo.models")(function*(organization_id) {
          const rows = yield* sql`
            SELECT d.model, (SELECT cardinality(c.embedding) FROM document_chunks c WHERE c.organization_id = ${organization_id}::uuid
              AND c.model = d.model AND c.place IS NOT NULL LIMIT 1) AS dimension
            FROM (SELECT DISTINCT model FROM documents WHERE organization_id = ${organization_id}::uuid AND chunks > 0) d`
          return (yield* Effect.orDie(decodeModels(rows))).flatMap(({ dimension, model }) => dimension === null ? [] : [{ model, dimension }])
        })
      })
    })
  )
}

/** Little-endian 32-bit floats in Base64. */
const floatsOf = (encoded: string): ReadonlyArray<number> => {
  const bytes = Buffer.from(encoded, "base64")
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4))
}

/** Whether a part's vectors are what it says that they are. */
export const vectorProblem = ({ chunks, dimension }: ChunksPart): string | undefined => {
  const wrong = chunks.findIndex(({ vector }) => {
    const floats = floatsOf(vector)
    return floats.length !== dimension || !floats.every(Number.isFinite)
  })
  return wrong < 0 ? undefined : `chunks[${wrong}].vector: must be ${dimension} finite 32-bit floats in Base64`
}

/** Whether chunks can stand there. */
export const placesProblem = ({ places }: PlacesPart): string | undefined => {
  const wrong = places.findIndex(([, start, core, end]) => start > core || core >= end || end > MAX_OFFSET)
  return wrong < 0 ? undefined : `places[${wrong}]: must be a chunk's id, start, core and end, in this order`
}

/** Rows of one statement. */
const PORTION = 5_000

/** Of a column. */
const MAX_OFFSET = 2_147_483_647

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: ChunkId })))
const decodeFound = Schema.decodeUnknownEffect(Schema.Struct({ placed: Schema.Int, found: Schema.Int, until: Schema.Int, added: Schema.Int }))
const decodeGone = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ placed: Schema.Boolean })))
const decodeModels = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ model: Schema.String, dimension: Schema.NullOr(Schema.Int) })))
