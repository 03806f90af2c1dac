/** The attempt that made a result, written into it and read from it. */
import { Option, Schema } from "effect"

const PREFIX = "attempt-"
const LETTERS = "abcdefghijklmnopqrstuvwxyz"

/** In letters: a figure that no entry holds is taken out of an insight. */
export const attemptTag = (attempt: number): string =>
  `${PREFIX}${[...String(attempt)].map((digit) => LETTERS[Number(digit)]).join("")}`

const Stamped = Schema.fromJsonString(Schema.Struct({ tags: Schema.Array(Schema.String) }))
const decode = Schema.decodeUnknownOption(Stamped)

/** Undefined where the result says nothing. */
export const attemptOf = (result: string): number | undefined => {
  const tag = Option.getOrUndefined(decode(result))?.tags.find((tag) => tag.startsWith(PREFIX))
  return tag === undefined ? undefined : Number([...tag.slice(PREFIX.length)].map((letter) => LETTERS.indexOf(letter)).join(""))
}
