/**
 * The Big List of Naughty Strings (github.com/minimaxir/big-list-of-naughty-strings, MIT, commit db33ec7 of 2021): text that
 * people do type and that programs stumble over. It lies beside its licence in `naughty-strings/`.
 */
import { Schema } from "effect"
import * as fs from "node:fs"

const file = new URL("naughty-strings/blns.json", import.meta.url)

export const naughtyStrings: ReadonlyArray<string> = Schema.decodeSync(Schema.fromJsonString(Schema.Array(Schema.String)))(
  fs.readFileSync(file, "utf8")
)

/** A text field as the document describes it, and what becomes of the text. */
export interface TextField {
  readonly min: number
  readonly max: number
  readonly kept: (text: string) => string
}

const field = (kept: (text: string) => string) => (min: number, max: number): TextField => ({ min, max, kept })

export const plain = field((text) => text)
export const trimmed = field((text) => text.trim())
export const normalized = field((text) => text.trim().toLowerCase())

/** Lengths count characters. */
export const fits = ({ kept, max, min }: TextField, text: string): boolean => {
  const length = [...kept(text)].length
  return length >= min && length <= max
}
