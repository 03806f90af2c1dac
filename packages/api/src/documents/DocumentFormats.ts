/** What a document is where nobody said it. */
import type { DocumentFormat } from "@englog/domain/documents/Document"

/** Looked at by its beginning: a PDF by its mark, HTML by its first element, Markdown by a heading or a code fence. */
export const looksLike = (content: string, encoded: boolean): DocumentFormat => {
  const beginning = encoded ? Buffer.from(content.slice(0, 8_192), "base64").toString("utf8") : content.slice(0, 8_192)
  if (beginning.includes("%PDF-")) return encoded ? "pdf" : "text"
  if (/^\uFEFF?\s*(?:<!--[^]*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b/i.test(beginning)) return "html"
  return /^ {0,3}(?:#{1,6}[ \t]|```|~~~)/m.test(beginning) ? "markdown" : "text"
}
