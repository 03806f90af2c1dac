/** The attempt that made a result, written into it and read from it. */
import { Option, Schema } from "effect"
import { ChaosKind } from "./ChaosKind.ts"

const PREFIX = "attempt-"
const LETTERS = "abcdefghijklmnopqrstuvwxyz"

/** In letters: a figure that no entry holds is taken out of an insight. */
export const attemptTag = (attempt: number): string =>
  `${PREFIX}${[...String(attempt)].map((digit) => LETTERS[Number(digit)]).join("")}`

const Insight = Schema.Struct({ tags: Schema.Array(Schema.String) })
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Union([ChaosKind.result, Insight])))

/** Undefined where the result says nothing. */
export const attemptOf = (result: string): number | undefined => {
  const stamped = Option.getOrUndefined(decode(result))
  if (stamped === undefined || "attempt" in stamped) return stamped?.attempt
  const tag = stamped.tags.find((tag) => tag.startsWith(PREFIX))
  return tag === undefined ? undefined : Number([...tag.slice(PREFIX.length)].map((letter) => LETTERS.indexOf(letter)).join(""))
}
