/** Chunks in PostgreSQL and the searches over them; with pgvector as well where the server has it. */
import { assert, describe, it } from "@effect/vitest"
import { ChunkId, type DocumentKey } from "@englog/domain/Ids"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { ChunkRepo } from "../../src/documents/ChunkRepo.ts"
import { ChunkSearchRepo } from "../../src/documents/ChunkSearchRepo.ts"
import { DocumentRepo } from "../../src/documents/DocumentRepo.ts"
import { KnowledgeKeyRepo } from "../../src/documents/KnowledgeKeyRepo.ts"
import { VectorIndexRepo } from "../../src/documents/VectorIndexRepo.ts"
import { encryptionKeys } from "../http/TestApi.ts"
import { newOwner } from "../support/QueueEngine.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const repos = ChunkSearchRepo.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(VectorIndexRepo.layer, ChunkRepo.layer, DocumentRepo.layer, KnowledgeKeyRepo.layer)),
  Layer.provideMerge(FieldCipher.layer(encryptionKeys)),
  Layer.provideMerge(TestDatabase.layer),
  Layer.orDie
)

const DIMENSION = 48

/** The same each time. */
const randoms = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32 - 0.5
  }
}

const vectorsOf = (count: number, seed: number) => {
  const next = randoms(seed)
  return Array.from({ length: count }, () => Array.from({ length: DIMENSION }, next))
}

const cosine = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => {
  const dot = (x: ReadonlyArray<number>, y: ReadonlyArray<number>) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

const encoded = (vector: ReadonlyArray<number>) => {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString("base64")
}

/** An organization with one document of these chunks. */
const shelf = Effect.fnUntraced(function*(vectors: ReadonlyArray<ReadonlyArray<number>>, textOf: (index: number) => string) {
  const { organization_id, user_id } = yield* newOwner()
  const documents = yield* DocumentRepo
  const chunks = yield* ChunkRepo
  const secret = yield* Effect.flatMap(KnowledgeKeyRepo, ({ secretOf }) => secretOf(organization_id))
  const submitted = yield* documents.submit({
    organization_id,
    submitted_by: user_id,
    document_id: "d",
    title: "A title",
    source: { content: "source", encoded: false, format: "text" },
    chunk_size: undefined,
    overlap: undefined
  })
  const key: DocumentKey = Option.getOrThrow(submitted).key
  const ids = vectors.map(() => ChunkId.make(randomUUID()))
  const made = vectors.map((vector, index) => ({ id: ids[index] ?? ChunkId.make(randomUUID()), heading_path: ["H"], text: textOf(index), vector: encoded(vector) }))
  for (let from = 0; from < made.length; from += 50) {
    yield* chunks.insert({ organization_id, secret }, key, { model: "test/one", dimension: DIMENSION, chunks: made.slice(from, from + 50) })
  }
  return { organization_id, secret, key, ids, scope: { organization_id, secret, documents: undefined }, place: placed(key, ids) }
})

const placed = Effect.fnUntraced(function*(document: DocumentKey, ids: ReadonlyArray<ChunkId>) {
  const { arrange, place } = yield* ChunkRepo
  const attempt = { document, revision: 1, attempt: 1 }
  yield* place(attempt, { first: 0, places: ids.map((id, index) => [id, index * 10, index * 10, index * 10 + 10] as const) })
  return yield* arrange(attempt, ids.length)
})

const nearest = (vectors: ReadonlyArray<ReadonlyArray<number>>, query: ReadonlyArray<number>, count: number) =>
  vectors.map((vector, index) => ({ index, near: cosine(vector, query) })).sort((a, b) => b.near - a.near).slice(0, count)

const hasPgvector = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql`SELECT 1 FROM pg_available_extensions WHERE name = 'vector'`, (rows) => rows.length > 0))

describe("the search over chunks", () => {
  it.live("finds nothing before a chunk has its place, and then the nearest vectors with their true cosines, exactly", () =>
    Effect.gen(function*() {
      const vectors = vectorsOf(200, 1)
      const { ids, place, scope } = yield* shelf(vectors, (index) => `chunk ${index}`)
      const search = yield* ChunkSearchRepo
      const [query = []] = vectorsOf(1, 2)
      const use = { model: "test/one", dimension: DIMENSION }
      assert.deepStrictEqual(yield* search.byVector(scope, use, query, 5), [])
      yield* place
      const found = yield* search.byVector(scope, use, query, 5)
      const wanted = nearest(vectors, query, 5)
      assert.deepStrictEqual(found.map(({ id }) => id), wanted.map(({ index }) => ids[index] ?? ""))
      for (const [index, { score }] of found.entries()) assert.closeTo(score, wanted[index]?.near ?? 0, 1e-5)
      assert.deepStrictEqual(yield* search.byVector(scope, { ...use, model: "test/other" }, query, 5), [], "vectors of two models are not compared")
    }).pipe(Effect.provide(repos)))

  it.live("finds the same through pgvector's index, among chunks of other organizations", (context) =>
    Effect.gen(function*() {
      if (!(yield* hasPgvector)) return yield* Effect.sync(() => context.skip("SKIPPED: this PostgreSQL has no pgvector; run it with TEST_DATABASE_URL on one that has"))
      const index = yield* VectorIndexRepo
      const search = yield* ChunkSearchRepo
      yield* index.ensure(DIMENSION)
      assert.isTrue(yield* index.has(DIMENSION))
      yield* Effect.flatMap(shelf(vectorsOf(1_000, 3), () => "another's"), ({ place }) => place)
      const vectors = vectorsOf(100, 4)
      const { ids, place, scope } = yield* shelf(vectors, (number) => `chunk ${number}`)
      yield* place
      const sql = yield* SqlClient.SqlClient
      yield* sql`ANALYZE document_chunks`
      let hits = 0
      for (const query of vectorsOf(20, 5)) {
        const found = (yield* search.byVector(scope, { model: "test/one", dimension: DIMENSION }, query, 5)).map(({ id }) => id)
        const wanted = nearest(vectors, query, 5).map(({ index }) => ids[index] ?? "")
        hits += wanted.filter((id) => found.some((other) => other === id)).length
      }
      assert.isAtLeast(hits, 90, "of 100")
      const plan = yield* sql<{ "QUERY PLAN": string }>`
        EXPLAIN SELECT c.id FROM document_chunks c WHERE cardinality(c.embedding) = 48 AND true
        ORDER BY (c.embedding::vector(48)) <=> ${`[${Array.from({ length: DIMENSION }, () => 0.1).join(",")}]`}::text::vector(48) LIMIT 5`
      assert.match(JSON.stringify(plan), /document_chunks_near_48/)
    }).pipe(Effect.provide(repos)), 60_000)

  it.live("finds words in any chunk that has one of them, the rare ones first, and in no other organization", () =>
    Effect.gen(function*() {
      const texts = ["the key ring is rotated", "the backup is taken at night", "the night shift keeps the key", "lunch is at noon"]
      const { ids, place, scope } = yield* shelf(vectorsOf(texts.length, 6), (index) => texts[index] ?? "")
      yield* place
      const search = yield* ChunkSearchRepo
      const found = yield* search.byWords(scope, ["the", "backup"], 10)
      assert.strictEqual(found[0]?.id, ids[1])
      assert.sameMembers(found.map(({ id }) => id), ids.slice(0, 3))
      const other = yield* shelf(vectorsOf(1, 7), () => "nothing")
      yield* other.place
      assert.deepStrictEqual(yield* search.byWords(other.scope, ["backup"], 10), [])
      const [opened] = yield* search.open(ids.slice(1, 2))
      assert.deepInclude(opened, { document_id: "d", title: "A title", heading_path: ["H"], content: "the backup is taken at night", start_at: 10, end_at: 20 })
    }).pipe(Effect.provide(repos)))

  it.live("does not look at every chunk for a word that most of them have, where there are many", () =>
    Effect.gen(function*() {
      const { ids, place, scope } = yield* shelf(vectorsOf(1_200, 9), (index) => index === 700 ? "the marmot of the house" : "the house")
      const search = yield* ChunkSearchRepo
      assert.isTrue(yield* search.comparable(scope, { model: "test/one", dimension: DIMENSION }))
      yield* place
      assert.deepStrictEqual((yield* search.byWords(scope, ["the", "marmot", "house"], 10)).map(({ id }) => id), [ids[700]])
      const common = yield* search.byWords(scope, ["the", "house"], 10)
      assert.lengthOf(common, 10)
      assert.isTrue(common.every(({ score }) => score > 0))
    }).pipe(Effect.provide(repos)), 60_000)

  it.live("compares the vectors of chosen chunks only, where all are too many", () =>
    Effect.gen(function*() {
      const vectors = vectorsOf(100, 10)
      const { ids, place, scope } = yield* shelf(vectors, (index) => `chunk ${index}`)
      yield* place
      const sql = yield* SqlClient.SqlClient
      const search = yield* ChunkSearchRepo
      const use = { model: "test/one", dimension: DIMENSION }
      yield* sql`UPDATE documents SET chunks = 200000, model = 'test/one', searched_revision = 1, processed_at = now() WHERE organization_id = ${scope.organization_id}::uuid`
      if (!(yield* hasPgvector)) assert.isFalse(yield* search.comparable(scope, use))
      const [query = []] = vectorsOf(1, 11)
      const some = ids.filter((_, index) => index % 3 === 0)
      const found = (yield* search.byVector(scope, use, query, 5, some)).map(({ id }) => id)
      assert.deepStrictEqual(found, nearest(vectors.filter((_, index) => index % 3 === 0), query, 5).map(({ index }) => some[index]))
    }).pipe(Effect.provide(repos)))

  it.live("keeps neither texts nor words nor vectors as they are", () =>
    Effect.gen(function*() {
      const [vector = []] = vectorsOf(1, 8)
      const { ids } = yield* shelf([vector], () => "swordfish")
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ text: string; embedding: string }>`
        SELECT c::text AS text, array_to_string(embedding, ',') AS embedding FROM document_chunks c WHERE id = ${ids[0] ?? ""}::uuid`
      assert.notInclude(row?.text, "swordfish")
      const kept = (row?.embedding ?? "").split(",").map(Number)
      assert.isBelow(Math.abs(cosine(kept, vector)), 0.6, "turned")
      const again = yield* shelf([vector], () => "swordfish")
      const [other] = yield* sql<{ embedding: string; digests: string }>`
        SELECT array_to_string(embedding, ',') AS embedding FROM document_chunks c WHERE id = ${again.ids[0] ?? ""}::uuid`
      assert.isBelow(Math.abs(cosine((other?.embedding ?? "").split(",").map(Number), kept)), 0.6, "differently for each organization")
    }).pipe(Effect.provide(repos)))
})
