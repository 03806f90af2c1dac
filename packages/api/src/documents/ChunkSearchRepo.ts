/** The two searches over an organization's chunks, and what they found, opened. */
import { ChunkId, DocumentKey } from "@englog/domain/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { ModelUse, Shelf } from "./ChunkRepo.ts"
import { turned, wordDigests } from "./KnowledgeSecret.ts"
import { VectorIndexRepo } from "./VectorIndexRepo.ts"

export interface Scope extends Shelf {
  /** Only in these; undefined: in all. */
  readonly documents: ReadonlyArray<string> | undefined
}

export interface Ranked {
  readonly id: ChunkId
  readonly score: number
}

export class ChunkSearchRepo extends Context.Service<ChunkSearchRepo, {
  /**
   * Best first, by BM25 without frequencies within a chunk: of any of the words, rare ones and those in short chunks count more. Where
   * there are many chunks, words that are in a tenth of them (as a sample tells) find none by themselves, unless there are only such.
   */
  readonly byWords: (scope: Scope, words: ReadonlyArray<string>, limit: number) => Effect.Effect<ReadonlyArray<Ranked>, SqlError>
  /** Whether all vectors of a model can be compared within the time of a statement. */
  readonly comparable: (scope: Pick<Scope, "documents" | "organization_id">, model: ModelUse) => Effect.Effect<boolean, SqlError>
  /** Nearest first, among all of the scope or among these; the score is the cosine. */
  readonly byVector: (scope: Scope, model: ModelUse, vector: ReadonlyArray<number>, limit: number, among?: ReadonlyArray<ChunkId>) => Effect.Effect<
    ReadonlyArray<Ranked>,
    SqlError
  >
  readonly open: (ids: ReadonlyArray<ChunkId>) => Effect.Effect<ReadonlyArray<OpenedChunk>, SqlError>
}>()("@englog/api/documents/ChunkSearchRepo") {
  static readonly layer: Layer.Layer<ChunkSearchRepo, never, SqlClient.SqlClient | FieldCipher | VectorIndexRepo> = Layer.effect(
    ChunkSearchRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const index = yield* VectorIndexRepo

      const among = ({ documents, organization_id }: Pick<Scope, "documents" | "organization_id">) =>
        sql.and([
          sql`d.organization_id = ${organization_id}::uuid`,
          ...(documents === undefined ? [] : [sql`d.document_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(documents)}::jsonb))`])
        ])

      const within = (scope: Scope) =>
        sql.and([
          sql`c.organization_id = ${scope.organization_id}::uuid AND c.place IS NOT NULL`,
          ...(scope.documents === undefined ? [] : [sql`c.document IN (SELECT d.key FROM documents d WHERE ${among(scope)})`])
        ])

      return ChunkSearchRepo.of({
        byWords: Effect.fn("ChunkSearchRepo.byWords")(function*(scope, words, limit) {
          if (words.length === 0) return []
          const digests = `{${words.map(wordDigests(scope.secret)).join(",")}}`
          const rows = yield* sql`
            WITH sample AS MATERIALIZED (SELECT c.word_digests, c.word_count FROM document_chunks c WHERE ${within(scope)} LIMIT ${SAMPLE}::int),
            shelf AS (
              SELECT greatest(count(*), (SELECT coalesce(sum(d.chunks), 0) FROM documents d WHERE ${among(scope)}))::float8 AS chunks,
                count(*)::float8 AS sampled, greatest(avg(word_count), 1)::float8 AS length FROM sample
            ),
            asked AS MATERIALIZED (
              SELECT w.digest, s.seen / greatest(shelf.sampled, 1) AS share, shelf.sampled >= ${SAMPLE}::int AND s.seen > shelf.sampled * ${COMMON}::float8 AS common
              FROM unnest(${digests}::text::int8[]) AS w (digest) CROSS JOIN shelf
              CROSS JOIN LATERAL (SELECT count(*)::float8 AS seen FROM sample WHERE w.digest = ANY (sample.word_digests)) s
            ),
            hit AS MATERIALIZED (
              SELECT c.id, c.word_count, ARRAY(SELECT asked.digest FROM asked WHERE asked.digest = ANY (c.word_digests)) AS digests
              FROM document_chunks c WHERE ${within(scope)} AND c.word_digests
                && (SELECT coalesce(array_agg(digest) FILTER (WHERE NOT common), array_agg(digest)) FROM asked)
              LIMIT ${MAX_HITS}::int
            ),
            word AS (
              SELECT asked.digest, CASE WHEN asked.common THEN asked.share * shelf.chunks ELSE count(hit.id) END::float8 AS chunks
              FROM asked CROSS JOIN shelf LEFT JOIN hit ON asked.digest = ANY (hit.digests) GROUP BY asked.digest, asked.common, asked.share, shelf.chunks
            )
            SELECT hit.id, sum(ln(1 + greatest(shelf.chunks - word.chunks + 0.5::float8, 0) / (word.chunks + 0.5::float8))
              * ${K1 + 1}::float8 / (1 + ${K1}::float8 * (1 - ${B}::float8 + ${B}::float8 * hit.word_count / shelf.length))) AS score
            FROM hit CROSS JOIN shelf JOIN word ON word.digest = ANY (hit.digests)
            GROUP BY hit.id ORDER BY score DESC, hit.id LIMIT ${limit}::int`
          return yield* Effect.orDie(decodeRanked(rows))
        }),
        comparable: Effect.fn("ChunkSearchRepo.comparable")(function*(scope, { dimension, model }) {
          if (yield* index.has(dimension)) return true
          const rows = yield* sql`SELECT coalesce(sum(d.chunks), 0)::float8 AS chunks FROM documents d WHERE ${among(scope)} AND d.model = ${model}`
          return (yield* Effect.orDie(decodeChunkCount(rows[0]))).chunks * dimension <= MAX_COMPARED
        }),
        byVector: Effect.fn("ChunkSearchRepo.byVector")(function*(scope, model, vector, limit, chosen) {
          const choice = chosen === undefined ? sql`TRUE` : sql`c.id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(chosen)}::jsonb))`
          const { distance, prepare, where } = yield* index.distance(model, turned(scope.secret, model.model, vector))
          const rows = yield* sql.withTransaction(Effect.andThen(prepare, sql`
            SELECT n.id, 1 - n.distance AS score FROM (
              SELECT c.id, ${distance} AS distance FROM document_chunks c
              WHERE ${within(scope)} AND c.model = ${model.model} AND ${where} AND ${choice} ORDER BY ${distance} LIMIT ${limit}::int
            ) n WHERE n.distance IS NOT NULL AND n.distance <> 'NaN' ORDER BY n.distance, n.id`))
          return yield* Effect.orDie(decodeRanked(rows))
        }),
        open: Effect.fn("ChunkSearchRepo.open")(function*(ids) {
          const rows = yield* sql`
            SELECT c.id, c.document AS key, d.document_id, d.title, c.heading_path, c.content, c.place, c.start_at, c.end_at
            FROM document_chunks c JOIN documents d ON d.key = c.document
            WHERE c.id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb)) AND c.place IS NOT NULL`
          return yield* Effect.forEach(yield* Effect.orDie(decodeChunks(rows)), (row) =>
            Effect.orDie(Effect.gen(function*() {
              return {
                ...row,
                title: row.title === null ? null : yield* cipher.decrypt(row.title, EncryptedColumn.documentTitle, row.key),
                heading_path: yield* Effect.flatMap(cipher.decrypt(row.heading_path, EncryptedColumn.chunkHeadings, row.id), decodePath),
                content: yield* cipher.decrypt(row.content, EncryptedColumn.chunkContent, row.id)
              }
            })))
        })
      })
    })
  )
}

/** Usual values (Robertson and Zaragoza 2009). */
const K1 = 1.2
const B = 0.75

/** Chunks that are looked at to tell common words. */
const SAMPLE = 1_000
const COMMON = 0.1
/** Chunks that are ranked, where only common words are asked for: each takes a tenth of a millisecond at worst. */
const MAX_HITS = 20_000
/** Numbers that are compared one by one: 10,000 vectors of 512 take two seconds on a busy machine. */
const MAX_COMPARED = 10_000 * 512

const Row = Schema.Struct({
  id: ChunkId,
  key: DocumentKey,
  document_id: Schema.String,
  title: Schema.NullOr(Schema.String),
  heading_path: Schema.String,
  content: Schema.String,
  place: Schema.Int,
  start_at: Schema.Int,
  end_at: Schema.Int
})

/** Decrypted. */
export interface OpenedChunk extends Omit<typeof Row.Type, "heading_path"> {
  readonly heading_path: ReadonlyArray<string>
}

const decodeChunkCount = Schema.decodeUnknownEffect(Schema.Struct({ chunks: Schema.Finite }))
const decodeChunks = Schema.decodeUnknownEffect(Schema.Array(Row))
const decodeRanked = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: ChunkId, score: Schema.Finite })))
const decodePath = Schema.decodeEffect(Schema.fromJsonString(Schema.Array(Schema.String)))
