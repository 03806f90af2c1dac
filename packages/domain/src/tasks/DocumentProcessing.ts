/**
 * DOCUMENT_PROCESSING (seed 002): a document is parsed, cut into chunks, and each chunk that is new gets its vector. Chunks and
 * where they stand travel in parts before the result, which says how many there are.
 */
import { Schema } from "effect"
import { DocumentFormat } from "../documents/Document.ts"
import { ChunkId, DocumentKey } from "../Ids.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

/** Chunks of one document: of the largest one with the usual chunk_size. */
export const MAX_CHUNKS = 150_000
/** Places in one part. */
export const MAX_PLACES = 5_000
/** Ids in one piece of the data `known`. */
export const KNOWN_PAGE = 20_000
/** The most numbers that a vector may have: what pgvector's HNSW takes. */
export const MAX_DIMENSION = 2_000

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** Printable ASCII. */
export const ModelName = Schema.String.check(Schema.isBetweenLength(1, 200), Schema.isPattern(/^[\x21-\x7e]+$/, { expected: "a model's name" }))

/** Chunk, start, beginning of its own part, end. */
const Place = Schema.Tuple([ChunkId, Count, Count, Count])

export const ProcessedDocument = Schema.Struct({
  model: ModelName,
  words: Count,
  characters: Count,
  /** As the document itself says; null where it does not. */
  title: Schema.NullOr(Schema.String),
  /** How many the document consists of. */
  chunks: Count.check(Schema.isLessThanOrEqualTo(MAX_CHUNKS))
})

/** The document was deleted, or handed in again, since the task was submitted: there is nothing to do. */
export const Superseded = Schema.Struct({ superseded: Schema.Literal(true) })

export const DocumentProcessing = TaskKind.make({
  kind: "DOCUMENT_PROCESSING",
  payload: Schema.Struct({ document: DocumentKey, revision: Schema.Int }),
  result: Schema.Union([ProcessedDocument, Superseded]),
  // Four hours: 70,000 chunks by a remote model that takes five seconds for each batch of 32.
  policy: { ...backgroundPolicy, attempt_timeout: 14_400_000 },
  submittedBy: "/api/background/tasks/document-processing"
})

/**
 * What its holder is told. Where `content` is null, the document is the `parts` pieces of the data `source`, bytes one after the
 * other. The data `known` are the chunks that are stored with their vectors: ids of 16 bytes, `KNOWN_PAGE` of them in a piece.
 */
export const DocumentSource = Schema.Struct({
  content: Schema.NullOr(Schema.String),
  /** `content` is Base64. */
  encoded: Schema.Boolean,
  parts: Count,
  format: DocumentFormat,
  chunk_size: Schema.Int,
  overlap: Schema.Int,
  /** Under which the ids of chunks are made: equal chunks of the document get equal ids, those of others do not. */
  chunk_key: Schema.String,
  /** How many chunks are stored. */
  known: Count
})
export type DocumentSource = typeof DocumentSource.Type

/** Data of a task that is read piece by piece. */
export const sourceData = "source"
export const knownData = "known"

/** Chunks of one model. */
export const ChunksPart = Schema.Struct({
  model: ModelName,
  dimension: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_DIMENSION })),
  chunks: Schema.Array(Schema.Struct({
    id: ChunkId,
    heading_path: Schema.Array(Schema.String),
    text: Schema.String,
    /** Little-endian 32-bit floats in Base64. */
    vector: Schema.String
  }))
})
export type ChunksPart = typeof ChunksPart.Type

/** Where chunks stand: the first of these is the document's chunk number `first`, from 0. */
export const PlacesPart = Schema.Struct({
  first: Count.check(Schema.isLessThan(MAX_CHUNKS)),
  places: Schema.Array(Place).check(Schema.isMaxLength(MAX_PLACES))
})
export type PlacesPart = typeof PlacesPart.Type

export const DocumentPart = Schema.Union([ChunksPart, PlacesPart])
export type DocumentPart = typeof DocumentPart.Type

/** What the task's result says in the end. */
export const DocumentSummary = Schema.Struct({
  /** Null where nothing was stored. */
  document_id: Schema.NullOr(Schema.String),
  /** False: it was handed in again, or deleted, meanwhile; then nothing was changed. */
  stored: Schema.Boolean,
  chunks: Count,
  /** How many of the chunks are new, how many of the earlier ones are gone, and how many stayed as they were. */
  added: Count,
  removed: Count,
  unchanged: Count,
  words: Count,
  characters: Count,
  model: Schema.NullOr(Schema.String)
}).annotate({ identifier: "DocumentSummary" })
export type DocumentSummary = typeof DocumentSummary.Type
