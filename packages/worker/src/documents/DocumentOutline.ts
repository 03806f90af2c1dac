/**
 * What a document consists of, found by reading it once: its chunks by id and place, without their text. And their texts, found
 * by reading it again, so that no more of a document is in memory than the chunks that are being worked on.
 */
import type { ChunkLimits } from "@englog/domain/documents/ChunkCuts"
import { chunkCutter, type TextChunk } from "@englog/domain/documents/Chunks"
import type { ChunkId } from "@englog/domain/Ids"
import { MAX_CHUNKS } from "@englog/domain/tasks/DocumentProcessing"
import { Effect, Stream } from "effect"
import { chunkIds } from "./ChunkIds.ts"
import type { OpenedDocument } from "./DocumentReader.ts"
import { Unreadable } from "./Parsed.ts"

export interface OutlinedChunk {
  readonly id: ChunkId
  readonly start: number
  readonly core: number
  readonly end: number
  readonly heading_path: ReadonlyArray<string>
}

export interface DocumentOutline {
  readonly title: string | null
  readonly words: number
  readonly characters: number
  readonly chunks: ReadonlyArray<OutlinedChunk>
}

export interface ChunkNames {
  /** Base64. */
  readonly key: string
  readonly model: string
}

/** `told` learns of how many chunks there are so far. */
export const outlineOf = Effect.fnUntraced(function*<E>(
  { pieces }: OpenedDocument<E>,
  limits: ChunkLimits,
  { key, model }: ChunkNames,
  told: (chunks: number) => Effect.Effect<void>
) {
  const cutter = chunkCutter(limits)
  const idOf = chunkIds(key, model)
  const words = wordCounter()
  const chunks: Array<OutlinedChunk> = []
  let title: string | null = null
  let characters = 0
  const keep = (found: ReadonlyArray<TextChunk>) => {
    for (const { core, end, heading_path, start, text } of found) chunks.push({ id: idOf(heading_path, text), start, core, end, heading_path })
    return chunks.length > MAX_CHUNKS
      ? Effect.fail(new Unreadable({ message: `the document has more than ${MAX_CHUNKS} chunks; give a larger chunk_size` }))
      : Effect.andThen(told(chunks.length), Effect.yieldNow)
  }
  yield* Stream.runForEach(pieces, (piece) =>
    Effect.suspend(() => {
      title ??= piece.title
      characters += piece.text.length
      words.add(piece.text)
      return keep(cutter.push(piece))
    }))
  yield* keep(cutter.end())
  if (chunks.length === 0) return yield* new Unreadable({ message: "the document holds no text" })
  const outline: DocumentOutline = { title, words: words.count(), characters, chunks }
  return outline
})

/** Some of a document's chunks, in their order, with their texts. `reach`: how far the text of a chunk begins before its own part at most. */
export const textsOf = <E, A extends OutlinedChunk>({ text }: OpenedDocument<E>, chunks: ReadonlyArray<A>, reach: number): Stream.Stream<readonly [chunk: A, text: string], E | Unreadable> =>
  Stream.suspend(() => {
    let window = ""
    let base = 0
    let next = 0
    return Stream.flatMap(text, (piece) => {
      window += piece
      const found: Array<readonly [A, string]> = []
      for (let chunk = chunks[next]; chunk !== undefined && chunk.end <= base + window.length; chunk = chunks[++next]) {
        found.push([chunk, window.slice(chunk.start - base, chunk.end - base)])
      }
      const kept = Math.max(base, Math.min(base + window.length, (chunks[next]?.core ?? Number.POSITIVE_INFINITY) - reach))
      window = window.slice(kept - base)
      base = kept
      return Stream.fromIterable(found)
    })
  })

const WORD = /[\p{L}\p{N}]+/gu

/** Words that go on in the next piece count once. */
const wordCounter = () => {
  let words = 0
  let open = false
  return {
    add: (text: string) => {
      for (const _ of text.matchAll(WORD)) words++
      if (open && /^[\p{L}\p{N}]/u.test(text)) words--
      open = /[\p{L}\p{N}]$/u.test(text)
    },
    count: () => words
  }
}
