/**
 * Handles DOCUMENT_PROCESSING. The document is read twice: the first time it is cut, and the API server learns where each chunk is to
 * stand; the second time chunks that are not stored yet are embedded and handed in, batch by batch. So memory is bounded by the
 * batch and the number of chunks, not by their texts and vectors. An attempt after a lost one goes on where that was.
 */
import type { ChunkId } from "@englog/domain/Ids"
import {
  DocumentProcessing, DocumentSource, KNOWN_PAGE, knownData, MAX_DIMENSION, MAX_PLACES, sourceData, Superseded
} from "@englog/domain/tasks/DocumentProcessing"
import { Clock, Data, Effect, Option, Schema, Stream } from "effect"
import { type DocumentOutline, outlineOf, type OutlinedChunk, textsOf } from "../documents/DocumentOutline.ts"
import { DocumentReader, type OpenedDocument } from "../documents/DocumentReader.ts"
import { EmbeddingModel } from "../llm/EmbeddingModel.ts"
import * as TaskHandler from "./TaskHandler.ts"

type Context = TaskHandler.TaskContext

/** The document was handed in again, or deleted, while it was read. */
class Gone extends Data.TaggedError("Gone")<{}> {}

const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Union([DocumentSource, Superseded])))

export const documentProcessing = Effect.zipWith(EmbeddingModel, DocumentReader, (model, reader) =>
  TaskHandler.make(DocumentProcessing, (_payload, context) =>
    Effect.gen(function*() {
      yield* context.progress(2, "Reading the document")
      const source = yield* Effect.flatMap(context.data, decode).pipe(Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause))))
      if ("superseded" in source) return superseded
      const tell = yield* onceInAWhile(context)
      const document = yield* reader.open({ format: source.format, bytes: bytesOf(context, source) })
      const outline = yield* outlineOf(document, source, { key: source.chunk_key, model: model.name }, (count) => tell(5, `Read ${counted(count)} chunks so far`))
      yield* place(context, outline)
      const known = yield* knownOf(context, source)
      const fresh = outline.chunks.filter(({ id }) => !known.has(id))
      yield* embedAll(model, context, { document, outline, fresh, reach: source.overlap, tell })
      const { characters, chunks: { length: chunks }, title, words } = outline
      yield* context.note({ operation: "document_processed", chunks, new_chunks: fresh.length, words, model: model.name })
      return { model: model.name, words, characters, title, chunks }
    }).pipe(
      Effect.catchTags({
        Gone: () => Effect.succeed(superseded),
        Unreadable: ({ message }) => Effect.fail(new TaskHandler.TaskFailure({ message, retryable: false }))
      })
    )))

const superseded = { superseded: true } as const

const bytesOf = (context: Context, { content, encoded, parts }: DocumentSource): Stream.Stream<Uint8Array, TaskHandler.TaskFailure | Gone> =>
  content !== null
    ? Stream.succeed(Buffer.from(content, encoded ? "base64" : "utf8"))
    : Stream.mapEffect(Stream.range(0, parts - 1), (index) =>
      Effect.flatMap(context.dataPart(sourceData, index), Option.match({ onNone: () => Effect.fail(new Gone()), onSome: Effect.succeed })))

/** Of the chunks that are stored with their vectors. */
const knownOf = Effect.fnUntraced(function*(context: Context, { known }: DocumentSource) {
  const ids = new Set<string>()
  for (let page = 0; page * KNOWN_PAGE < known; page++) {
    const bytes = yield* context.dataPart(knownData, page)
    if (Option.isNone(bytes)) break
    const hex = Buffer.from(bytes.value).toString("hex")
    for (let at = 0; at < hex.length; at += 32) {
      ids.add(`${hex.slice(at, at + 8)}-${hex.slice(at + 8, at + 12)}-${hex.slice(at + 12, at + 16)}-${hex.slice(at + 16, at + 20)}-${hex.slice(at + 20, at + 32)}`)
    }
  }
  const isKnown: { readonly has: (id: ChunkId) => boolean } = ids
  return isKnown
})

const place = (context: Context, { chunks }: DocumentOutline) =>
  Effect.forEach(Array.from({ length: Math.ceil(chunks.length / MAX_PLACES) }, (_, index) => index * MAX_PLACES), (first) =>
    context.store(JSON.stringify({
      first,
      places: chunks.slice(first, first + MAX_PLACES).map(({ core, end, id, start }) => [id, start, core, end])
    })), { discard: true })

interface Work {
  readonly document: OpenedDocument<TaskHandler.TaskFailure | Gone>
  readonly outline: DocumentOutline
  readonly fresh: ReadonlyArray<OutlinedChunk>
  readonly reach: number
  readonly tell: (percent: number, message: string) => Effect.Effect<void>
}

type TextOfChunk = readonly [chunk: OutlinedChunk, text: string]

/** UTF-16 units of a part, so that it stays below 1 MiB in any script, vectors included. */
const PART = 150_000

const embedAll = Effect.fnUntraced(function*(model: EmbeddingModel["Service"], context: Context, { document, fresh, outline, reach, tell }: Work) {
  const all = outline.chunks.length
  let done = all - fresh.length
  let batch: Array<TextOfChunk> = []
  let size = 0
  yield* context.progress(10, progressOf(done, all))
  if (fresh.length === 0) return
  const flush = Effect.suspend(() => {
    const full = batch
    batch = []
    size = 0
    done += full.length
    return Effect.andThen(embed(model, context, full), tell(10 + 85 * done / all, progressOf(done, all)))
  })
  yield* Stream.runForEach(textsOf(document, fresh, reach), (one) =>
    Effect.gen(function*() {
      if (batch.length === model.batch || (batch.length > 0 && size + one[1].length > PART)) yield* flush
      batch.push(one)
      size += one[1].length
    }))
  if (batch.length > 0) yield* flush
  yield* context.progress(95, progressOf(done, all))
})

const embed = Effect.fnUntraced(function*(model: EmbeddingModel["Service"], context: Context, batch: ReadonlyArray<TextOfChunk>) {
  const vectors = yield* model.embed(batch.map(([{ heading_path }, text]) => [...heading_path, text].join("\n"))).pipe(
    Effect.mapError((error) => new TaskHandler.TaskFailure({ message: error.message, retryable: error.isTransient, cause: error }))
  )
  const dimension = vectors[0]?.length ?? 0
  if (dimension > MAX_DIMENSION) {
    const message = `${model.name} makes vectors of ${dimension} numbers; choose an embedding model of at most ${MAX_DIMENSION}`
    return yield* new TaskHandler.TaskFailure({ message, retryable: false })
  }
  yield* context.store(JSON.stringify({
    model: model.name,
    dimension,
    chunks: batch.map(([{ heading_path, id }, text], index) => ({ id, heading_path, text, vector: encodeVector(vectors[index] ?? []) }))
  }))
})

const counted = (count: number): string => count.toLocaleString("en-US")

const progressOf = (done: number, all: number): string => `${counted(done)} of ${counted(all)} chunks`

/** Progress of what happens many times a second is told once in one. */
const onceInAWhile = Effect.fnUntraced(function*(context: Context) {
  let last = yield* Clock.currentTimeMillis
  return (percent: number, message: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now - last < TELL_MS) return Effect.void
      last = now
      return context.progress(percent, message)
    })
})

const TELL_MS = 1_000

const encodeVector = (vector: ReadonlyArray<number>): string => {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString("base64")
}
