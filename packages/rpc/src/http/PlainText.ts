/**
 * Text that people type. Lengths count characters (Unicode code points), not UTF-16 units, so that an emoji counts once.
 * NUL and lone surrogates are refused: PostgreSQL stores neither.
 */
import { Schema, SchemaTransformation } from "effect"

export interface TextLimits {
  readonly min?: number
  readonly max: number
  /** What it must look like besides: its name in JSON Schema, and what is wrong with a text. */
  readonly format?: { readonly name: string; readonly problem: (text: string) => string | undefined }
}

const characters = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

const problem = (text: string, limits: TextLimits): string | undefined => {
  const length = characters(text)
  const min = limits.min ?? 0
  if (length < min) return min === 1 ? "must not be empty" : `must be at least ${min} characters long`
  if (length > limits.max) return `must be at most ${limits.max} characters long`
  return unstorable(text) ?? limits.format?.problem(text)
}

/** What PostgreSQL does not store. */
export const unstorable = (text: string): string | undefined =>
  text.includes("\u0000")
    ? "must not contain the NUL character"
    : text.isWellFormed()
    ? undefined
    : "must not contain half of a surrogate pair"

const within = (limits: TextLimits, of: (text: string) => string) =>
  Schema.makeFilter<string>((text) => problem(of(text), limits), {
    expected: `at most ${limits.max} characters`,
    toJsonSchema: () => [{
      ...(limits.min === undefined ? {} : { minLength: limits.min }),
      maxLength: limits.max,
      ...(limits.format === undefined ? {} : { format: limits.format.name })
    }, true]
  })

/** Kept as it was typed. */
export const PlainText = (limits: TextLimits) => Schema.String.check(within(limits, (text) => text))

/** White space around it is cut off before its length counts. */
export const TrimmedText = (limits: TextLimits) =>
  Schema.String.check(within(limits, (text) => text.trim())).pipe(
    Schema.decodeTo(Schema.String, SchemaTransformation.transform({ decode: (text) => text.trim(), encode: (text) => text }))
  )

/** Trimmed and in lower case, so that two spellings of one name are one name. */
export const NormalizedText = (limits: TextLimits) =>
  Schema.String.check(within(limits, (text) => text.trim().toLowerCase())).pipe(
    Schema.decodeTo(
      Schema.String,
      SchemaTransformation.transform({ decode: (text) => text.trim().toLowerCase(), encode: (text) => text })
    )
  )
