/** From what was handed in to text with its structure, for the formats that can only be read as a whole. */
import { Effect, Schema } from "effect"
import { parseHtml } from "./Html.ts"
import { MAX_TEXT, type Parsed, Unreadable } from "./Parsed.ts"
import { parsePdf } from "./Pdf.ts"
import { readText } from "./PlainText.ts"

export const WholeFormat = Schema.Literals(["html", "pdf"])

export interface WholeSource {
  readonly format: typeof WholeFormat.Type
  readonly bytes: Uint8Array
}

export const parseDocument = ({ bytes, format }: WholeSource): Effect.Effect<Parsed, Unreadable> =>
  (format === "pdf" ? parsePdf(bytes) : Effect.flatMap(readText(bytes), parseHtml)).pipe(
    Effect.filterOrFail(({ text }) => text.length <= MAX_TEXT, () => new Unreadable({ message: `the document holds more than ${MAX_TEXT} characters of text` }))
  )
