/**
 * Nearest vectors by pgvector's HNSW where the server has it, else exactly, by comparing with every vector of the organization.
 * The extension is created when the API starts, if it is installed and this role may; the index of a dimension when its first
 * chunks come. Where there are so many already that it takes longer than a statement may, an operator makes it (decision 39).
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import type { ModelUse } from "./ChunkRepo.ts"

export class VectorIndexRepo extends Context.Service<VectorIndexRepo, {
  /** Whether vectors of so many numbers have an index. */
  readonly has: (dimension: number) => Effect.Effect<boolean, SqlError>
  /** Makes the index of a dimension, where it can be had and is not there yet. */
  readonly ensure: (dimension: number) => Effect.Effect<void>
  /** SQL of the distance between a chunk `c` and a vector: less is nearer; 1 less the cosine. */
  readonly distance: (model: ModelUse, vector: ReadonlyArray<number>) => Effect.Effect<Distance, SqlError>
}>()("@englog/api/documents/VectorIndexRepo") {
  static readonly layer = Layer.effect(VectorIndexRepo, Effect.suspend(() => make))
}

type Fragment = ReturnType<SqlClient.SqlClient["and"]>

export interface Distance {
  readonly distance: Fragment
  /** Must hold besides, so that the index is used. */
  readonly where: Fragment
  /** Makes the index go on until enough of the organization's own are found. */
  readonly prepare: Effect.Effect<void, SqlError>
}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const version = yield* detect(sql).pipe(
    Effect.catchCause((cause) =>
      Effect.as(warnUnlessOutage("pgvector could not be set up; vectors are compared one by one", cause), Option.none<readonly [number, number]>()))
  )
  // Since 0.8 the index looks on where the nearest of all are not the organization's.
  const looksOn = Option.exists(version, ([major, minor]) => major > 0 || minor >= 8)

  /** Another API server may have made one. */
  const [indexed, forget] = yield* Effect.cachedInvalidateWithTTL(
    Option.isNone(version) ? Effect.succeed(new Set<string>()) : Effect.map(
      sql<{ name: string }>`SELECT indexname AS name FROM pg_indexes WHERE tablename = 'document_chunks' AND schemaname = current_schema()`,
      (rows) => new Set(rows.map(({ name }) => name))
    ),
    "1 minute"
  )
  const has = (dimension: number) => Effect.map(indexed, (names) => names.has(nameOf(dimension)))

  const create = (dimension: number) => {
    const size = sql.literal(String(dimension))
    return sql.withTransaction(Effect.andThen(
      sql`SELECT pg_advisory_xact_lock(7364839207)`,
      sql`
        CREATE INDEX IF NOT EXISTS ${sql(nameOf(dimension))} ON document_chunks
        USING hnsw ((embedding::vector(${size})) vector_cosine_ops) WHERE cardinality(embedding) = ${size}`
    ))
  }

  const ensure = Effect.fn("VectorIndexRepo.ensure")(function*(dimension: number) {
    if (Option.isNone(version) || (yield* has(dimension))) return
    yield* Effect.andThen(create(dimension), forget)
  }, Effect.catchCause((cause) => warnUnlessOutage("an index of vectors could not be made; they are compared one by one", cause)))

  return VectorIndexRepo.of({
    ensure,
    has,
    distance: Effect.fnUntraced(function*({ dimension }, vector) {
      const size = sql.literal(String(dimension))
      const text = `[${vector.map((value) => Math.fround(value)).join(",")}]`
      return (yield* has(dimension))
        ? {
          distance: sql`((c.embedding::vector(${size})) <=> ${text}::text::vector(${size}))`,
          where: sql`cardinality(c.embedding) = ${size}`,
          prepare: looksOn ? Effect.asVoid(sql`SET LOCAL hnsw.iterative_scan = relaxed_order`) : Effect.void
        }
        : {
          distance: sql`(SELECT 1 - sum(a::float8 * b) FROM unnest(c.embedding, ${`{${vector.join(",")}}`}::text::float8[]) AS t (a, b))`,
          where: sql`TRUE`,
          prepare: Effect.void
        }
    })
  })
})

const nameOf = (dimension: number): string => `document_chunks_near_${dimension}`

/** Its version, where it can be used. */
const detect = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  const available = yield* sql`SELECT installed_version FROM pg_available_extensions WHERE name = 'vector'`
  if (available.length === 0) return Option.none<readonly [number, number]>()
  yield* sql`CREATE EXTENSION IF NOT EXISTS vector`
  const rows = yield* sql`SELECT extversion FROM pg_extension WHERE extname = 'vector'`
  const { extversion } = yield* Effect.orDie(decodeVersion(rows[0]))
  const [major = 0, minor = 0] = extversion.split(".").map(Number)
  return Option.some([major, minor] as const)
})

const decodeVersion = Schema.decodeUnknownEffect(Schema.Struct({ extversion: Schema.String }))
