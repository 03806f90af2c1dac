/**
 * What the API does for tasks about documents: it hands out the source, keeps chunks as they come, and with the completion puts
 * the new chunks in the place of the old ones, all at once. A document that was handed in again, or deleted, since the task was
 * submitted is left alone.
 */
import { DocumentBatch } from "@englog/domain/tasks/DocumentBatch"
import {
  DocumentPart, DocumentProcessing, type DocumentSource, type DocumentSummary, knownData, MAX_CHUNKS, sourceData
} from "@englog/domain/tasks/DocumentProcessing"
import { QueryEmbedding } from "@englog/domain/tasks/QueryEmbedding"
import type { TaskId } from "@englog/domain/Ids"
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { InvalidResult, type RegisteredKind, TaskKinds } from "../queue/TaskKinds.ts"
import { BatchRepo } from "./BatchRepo.ts"
import { ChunkRepo, placesProblem, vectorProblem } from "./ChunkRepo.ts"
import { DocumentRepo } from "./DocumentRepo.ts"
import { KnowledgeKeyRepo } from "./KnowledgeKeyRepo.ts"
import { chunkKey } from "./KnowledgeSecret.ts"
import { UploadRepo } from "./UploadRepo.ts"
import { VectorIndexRepo } from "./VectorIndexRepo.ts"

export const DocumentOutcomesLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  yield* kinds.register(yield* processing)
  yield* kinds.register(yield* batch)
  yield* kinds.register({
    kind: QueryEmbedding.kind,
    data: ({ private_input }) => Effect.succeed(JSON.stringify({ query: private_input ?? "" })),
    problem: problemOf(QueryEmbedding.result)
  })
}))

const processing = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const documents = yield* DocumentRepo
  const chunks = yield* ChunkRepo
  const uploads = yield* UploadRepo
  const keys = yield* KnowledgeKeyRepo
  const index = yield* VectorIndexRepo

  /** Inside a transaction; none where the task is no longer the document's newest. */
  const current = Effect.fnUntraced(function*(payload: string) {
    const { document, revision } = yield* Effect.orDie(decodePayload(payload))
    const found = yield* documents.lock(document)
    return { document, revision, found: Option.filter(found, (row) => row.revision === revision) }
  })

  const kind: RegisteredKind = {
    kind: DocumentProcessing.kind,
    data: Effect.fn("DocumentOutcomes.data")(function*({ payload }) {
      const { document, revision } = yield* Effect.orDie(decodePayload(payload))
      const found = yield* documents.source(document)
      if (Option.isNone(found) || found.value.revision !== revision) return superseded
      const { chunk_size, content, encoded, format, organization_id, overlap, parts, stored_chunks: known } = found.value
      const chunk_key = chunkKey(yield* keys.secretOf(organization_id), document)
      const source: DocumentSource = { content, encoded, parts, format, chunk_size, overlap, chunk_key, known }
      return JSON.stringify(source)
    }),
    dataPart: Effect.fn("DocumentOutcomes.dataPart")(function*({ payload }, { index, name }) {
      const { document, revision } = yield* Effect.orDie(decodePayload(payload))
      if (!(yield* documents.isCurrent(document, revision))) return Option.none()
      if (name === sourceData) return yield* uploads.part(document, index)
      const ids = name === knownData ? yield* chunks.known(document, index) : []
      return ids.length === 0 ? Option.none() : Option.some<Uint8Array>(Buffer.from(ids.join("").replaceAll("-", ""), "hex"))
    }),
    onPart: Effect.fn("DocumentOutcomes.onPart")(function*({ attempt, payload }, text) {
      const part = yield* decodePart(text).pipe(Effect.mapError(({ message }) => new InvalidResult({ message: `part: ${message}` })))
      const problem = "places" in part ? placesProblem(part) : vectorProblem(part)
      if (problem !== undefined) return yield* new InvalidResult({ message: `part: ${problem}` })
      const stored = yield* sql.withTransaction(Effect.gen(function*() {
        const { document, found, revision } = yield* current(payload)
        if (Option.isNone(found)) return false
        if ("places" in part) {
          yield* chunks.place({ document, revision, attempt }, part)
          return true
        }
        const { organization_id, stored_chunks } = found.value
        // The old ones and the new ones, and some of attempts that were lost.
        if (stored_chunks + part.chunks.length > 3 * MAX_CHUNKS) {
          return yield* new InvalidResult({ message: `part: the document has ${3 * MAX_CHUNKS} chunks already` })
        }
        yield* chunks.insert({ organization_id, secret: yield* keys.secretOf(organization_id) }, document, part)
        return true
      }))
      if (stored && "dimension" in part) yield* index.ensure(part.dimension)
    }),
    onCompleted: Effect.fn("DocumentOutcomes.onCompleted")(function*({ attempt, payload }, text) {
      const result = yield* decodeResult(text).pipe(Effect.mapError(({ message }) => new InvalidResult({ message: `result: ${message}` })))
      const { document, found, revision } = yield* current(payload)
      if (Option.isNone(found) || "superseded" in result) return JSON.stringify(nothing)
      const { characters, chunks: count, model, title, words } = result
      const arranged = yield* chunks.arrange({ document, revision, attempt }, count)
      if (Option.isNone(arranged)) {
        return yield* new InvalidResult({ message: `result: chunks: are not ${count} that were handed in before, each with one place` })
      }
      yield* documents.finish(document, { chunks: count, words, characters, model, title })
      const { added, removed } = arranged.value
      const summary: DocumentSummary = {
        document_id: found.value.document_id,
        stored: true,
        chunks: count,
        added,
        removed,
        unchanged: count - added,
        words,
        characters,
        model
      }
      return JSON.stringify(summary)
    }),
    onEnded: Effect.fn("DocumentOutcomes.onEnded")(function*({ payload }) {
      const { document, revision } = yield* Effect.orDie(decodePayload(payload))
      yield* chunks.forgetPlaces(document, revision)
    })
  }
  return kind
})

const batch = Effect.gen(function*() {
  const repo = yield* BatchRepo
  const summary = ({ task_id }: { readonly task_id: TaskId }) => Effect.map(repo.summary(task_id), (counts) => JSON.stringify(counts))
  const kind: RegisteredKind = { kind: DocumentBatch.kind, data: summary, onCompleted: summary }
  return kind
})

const superseded = JSON.stringify({ superseded: true })

const nothing: DocumentSummary = {
  document_id: null,
  stored: false,
  chunks: 0,
  added: 0,
  removed: 0,
  unchanged: 0,
  words: 0,
  characters: 0,
  model: null
}

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(DocumentProcessing.payload))
const decodePart = Schema.decodeEffect(Schema.fromJsonString(DocumentPart))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(DocumentProcessing.result))

const problemOf = (schema: Schema.Codec<unknown, unknown>) => {
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
  return (result: string) => {
    const decoded = decode(result)
    return decoded._tag === "Success" ? undefined : `result: ${decoded.failure.message}`
  }
}
