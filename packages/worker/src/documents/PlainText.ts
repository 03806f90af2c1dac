/** Text in UTF-8, as it was handed in, without a byte order mark. */
import { Effect, Stream } from "effect"
import { Unreadable } from "./Parsed.ts"

/** UTF-16 units of a piece, so that what is done with one does not keep the worker from anything else. */
const PIECE = 131_072

/** All of it. */
export const readText = (bytes: Uint8Array): Effect.Effect<string, Unreadable> => decoded(new TextDecoder("utf-8", { fatal: true }), bytes, false)

/** Piece by piece, none of them empty; no character is cut. */
export const textOf = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<string, E | Unreadable> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder("utf-8", { fatal: true })
    return bytes.pipe(
      Stream.mapEffect((part) => decoded(decoder, part, true)),
      Stream.concat(Stream.fromEffect(Effect.suspend(() => decoded(decoder, new Uint8Array(), false)))),
      Stream.flatMap((text) => Stream.fromIterable(slicesOf(text)))
    )
  })

const decoded = (decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, stream: boolean) =>
  Effect.try({
    try: () => decoder.decode(bytes, { stream }),
    catch: (cause) => new Unreadable({ message: "the document is no text in UTF-8", cause })
  }).pipe(
    Effect.filterOrFail((text) => !text.includes("\u0000"), () => new Unreadable({ message: "the document holds NUL characters: it is no text" }))
  )

export const slicesOf = function*(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const until = from + PIECE
    const to = isSecondHalf(text.charCodeAt(until)) ? until + 1 : until
    yield text.slice(from, to)
    from = to
  }
}

/** Of a surrogate pair. */
const isSecondHalf = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000
