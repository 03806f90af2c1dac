/**
 * Documents as they are read: pieces with their structure for whoever cuts them, and the bare text for whoever has cut them.
 * Plain text and Markdown are read piece by piece, each time anew; HTML and PDF once, as a whole, and their text is kept.
 */
import type { StructuredText } from "@englog/domain/documents/Chunks"
import type { Span } from "@englog/domain/documents/ChunkCuts"
import type { DocumentFormat } from "@englog/domain/documents/Document"
import { Context, Effect, Layer, Stream } from "effect"
import { DocumentThreads } from "./DocumentThreads.ts"
import { MAX_TEXT, type Parsed, Unreadable } from "./Parsed.ts"
import { slicesOf, textOf } from "./PlainText.ts"

export interface Piece extends StructuredText {
  /** What the document calls itself in this piece; null where it does not. */
  readonly title: string | null
}

export interface OpenedDocument<E> {
  readonly pieces: Stream.Stream<Piece, E | Unreadable>
  /** The same text as that of the pieces. */
  readonly text: Stream.Stream<string, E | Unreadable>
}

export interface DocumentBytes<E> {
  readonly format: DocumentFormat
  /** May be read several times. */
  readonly bytes: Stream.Stream<Uint8Array, E>
}

export class DocumentReader extends Context.Service<DocumentReader, {
  readonly open: <E>(document: DocumentBytes<E>) => Effect.Effect<OpenedDocument<E>, E | Unreadable>
}>()("@englog/worker/documents/DocumentReader") {
  static readonly layer = Layer.effect(
    DocumentReader,
    Effect.gen(function*() {
      const threads = yield* DocumentThreads

      const plain = <E>(text: Stream.Stream<string, E>): Stream.Stream<Piece, E> =>
        Stream.map(text, (piece) => ({ text: piece, headings: [], fences: [], title: null }))

      /** What is certain of the Markdown that has come so far is told; the rest is read again with what comes then. */
      const markdown = <E>(text: Stream.Stream<string, E>): Stream.Stream<Piece, E | Unreadable> =>
        Stream.suspend(() => {
          let waiting = ""
          let base = 0
          let wanted = SEGMENT
          const read = Effect.fnUntraced(function*(last: boolean): Effect.fn.Return<Iterable<Piece>, Unreadable> {
            const { consumed, fences, headings, title } = yield* threads.segment({ text: waiting, first: base === 0, last })
            const piece = { text: waiting.slice(0, consumed), headings, fences, title }
            const pieces = slicesOfPiece(piece, base)
            waiting = waiting.slice(consumed)
            base += consumed
            wanted = Math.max(SEGMENT, 2 * waiting.length)
            return pieces
          })
          return text.pipe(
            Stream.mapEffect((piece): Effect.Effect<Iterable<Piece>, Unreadable> => {
              waiting += piece
              return waiting.length < wanted ? Effect.succeed([]) : read(waiting.length >= MAX_BLOCK)
            }),
            Stream.concat(Stream.fromEffect(Effect.suspend(() => read(true)))),
            Stream.flattenIterable
          )
        })

      const whole = Effect.fnUntraced(function*<E>({ bytes, format }: { readonly bytes: Stream.Stream<Uint8Array, E>; readonly format: "html" | "pdf" }) {
        const parsed = yield* threads.whole({ format, bytes: joined(yield* Stream.runCollect(bytes)) })
        const pieces = Stream.suspend(() => Stream.fromIterable(slicesOfPiece(parsed, 0)))
        return { pieces, text: Stream.suspend(() => Stream.fromIterable(slicesOf(parsed.text))) }
      })

      return DocumentReader.of({
        open: Effect.fn("DocumentReader.open")(function*<E>({ bytes, format }: DocumentBytes<E>) {
          if (format === "html" || format === "pdf") return yield* whole({ bytes, format })
          const text = bounded(textOf(bytes))
          return { text, pieces: format === "text" ? plain(text) : markdown(text) }
        })
      })
    })
  ).pipe(Layer.provide(DocumentThreads.layer))
}

/** In memory of its own, which can be given away. */
const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** UTF-16 units of Markdown that are parsed at once: its parser takes the longer for each, the more there are (4 s for 1 MB in such segments, 22 s in eight times larger ones). */
const SEGMENT = 65_536
/** A block that does not end within so many is taken as far as it has come; what follows is read as if it began a document. */
const MAX_BLOCK = 1_000_000

const bounded = <E>(text: Stream.Stream<string, E>): Stream.Stream<string, E | Unreadable> =>
  Stream.suspend(() => {
    let length = 0
    return Stream.mapEffect(text, (piece): Effect.Effect<string, Unreadable> => {
      length += piece.length
      return length > MAX_TEXT ? Effect.fail(new Unreadable({ message: `the document holds more than ${MAX_TEXT} characters of text` })) : Effect.succeed(piece)
    })
  })

/** Cut where neither a heading nor a fence is; their offsets count from `base` units before the piece. */
const slicesOfPiece = function*({ fences, headings, text, title }: Parsed, base: number): Generator<Piece> {
  const spans = [...headings, ...fences].sort((a, b) => a.start - b.start)
  let [from, span, heading, fence] = [0, 0, 0, 0]
  while (from < text.length) {
    const [slice = ""] = slicesOf(text.slice(from, from + MAX_BLOCK))
    let until = from + slice.length
    for (let next = spans[span]; next !== undefined && next.start < until; next = spans[++span]) until = Math.max(until, next.end)
    const [headingsBefore, fencesBefore] = [heading, fence]
    while ((headings[heading]?.start ?? text.length) < until) heading++
    while ((fences[fence]?.start ?? text.length) < until) fence++
    yield {
      text: text.slice(from, until),
      headings: headings.slice(headingsBefore, heading).map((one) => ({ ...one, ...moved(one, base) })),
      fences: fences.slice(fencesBefore, fence).map((one) => moved(one, base)),
      title: from === 0 ? title : null
    }
    from = until
  }
}

const moved = ({ end, start }: Span, by: number): Span => ({ start: start + by, end: end + by })
