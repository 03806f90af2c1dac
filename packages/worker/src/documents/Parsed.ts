/** What parsers make of a document, and why they cannot. */
import type { Span } from "@englog/domain/documents/ChunkCuts"
import type { Heading, StructuredText } from "@englog/domain/documents/Chunks"
import { MAX_DOCUMENT_BYTES } from "@englog/domain/documents/DocumentUpload"
import { Schema } from "effect"

/** Text, headings and fences; and the title that the document gives itself. */
export interface Parsed extends StructuredText {
  readonly headings: ReadonlyArray<Heading>
  readonly fences: ReadonlyArray<Span>
  readonly title: string | null
}

/** No parser will ever make more of it; `message` is for whoever handed it in: "the document …". */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** UTF-16 units of text that a document may hold: what a PDF unpacks to may be many times its size. */
export const MAX_TEXT = MAX_DOCUMENT_BYTES
/** Elements within each other that no page has. */
export const MAX_DEPTH = 512
export const MAX_PAGES = 10_000

const TITLE = 500

export const titleOf = (text: string | undefined): string | null => {
  const title = (text ?? "").replace(/\s+/g, " ").trim()
  return title === "" ? null : Array.from(title).slice(0, TITLE).join("")
}
