/** Documents of a given size in every format, made of what LargeText makes. The same for the same seed. */
import type { DocumentFormat } from "@englog/domain/documents/Document"
import { largeText } from "./LargeText.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Of at most so many bytes, and nearly as many; it ends with the sentence. */
export const largeDocument = (format: DocumentFormat, bytes: number, seed: number, end: string): Uint8Array => {
  switch (format) {
    case "text":
      return utf8(`${largeText(bytes - end.length - 1, seed)} ${end}`)
    case "markdown":
      return utf8(assembled(bytes, seed, {
        head: "# Log\n\n",
        paragraph: (text, index) => `## Day ${index}\n\n${text}\n\n- done\n- *checked*\n\n\`\`\`sh\nmake day-${index}\n\`\`\`\n\n`,
        tail: `## The harbour\n\n${end}\n`
      }))
    case "html":
      return utf8(assembled(bytes, seed, {
        head: "<!doctype html><html><head><title>Log</title><style>p { margin: 0 }</style></head><body><h1>Log</h1>",
        paragraph: (text, index) => `<section><h2>Day ${index}</h2><p>${text.replaceAll("<", "&lt;")}</p><ul><li>done</li><li><em>checked</em></li></ul></section>`,
        tail: `<h2>The harbour</h2><p>${end}</p></body></html>`
      }))
    case "pdf":
      return largePdf(bytes, seed, end)
  }
}

interface Markup {
  readonly head: string
  readonly paragraph: (text: string, index: number) => string
  readonly tail: string
}

const assembled = (bytes: number, seed: number, { head, paragraph, tail }: Markup): string => {
  const parts = [head]
  let length = head.length + tail.length
  for (const [index, text] of largeText(bytes, seed).split("\n\n").entries()) {
    const part = paragraph(text, index)
    if (length + part.length > bytes) break
    parts.push(part)
    length += part.length
  }
  return [...parts, tail].join("")
}

/** Characters of a line, and lines of a page: so 50 MiB have some 4,000 pages. */
const LINE = 100
const LINES = 120

/** Uncompressed, so that its size is that of its text: by hand, because libraries write text as hexadecimal numbers of glyphs. */
const largePdf = (bytes: number, seed: number, end: string): Uint8Array => {
  const lines = largeText(bytes, seed).replace(/[\\()]/g, " ").replaceAll(/\s+/g, " ").match(new RegExp(`.{1,${LINE}}`, "g")) ?? []
  const pages = Math.floor(bytes / (LINE * LINES + LINES * 6 + 500))
  const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
  const kids: Array<string> = []
  for (let page = 0; page < pages; page++) {
    const text = [...lines.slice(page * LINES, (page + 1) * LINES), ...page === pages - 1 ? [end] : []]
    const content = `BT /F1 6 Tf 6 TL 20 780 Td\n${text.map((line) => `(${line}) '`).join("\n")}\nET`
    kids.push(`${objects.length + 1} 0 R`)
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${objects.length + 2} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`
    )
  }
  objects[1] = `<< /Type /Pages /Count ${pages} /Kids [${kids.join(" ")}] >>`
  const parts = ["%PDF-1.4\n"]
  const places: Array<number> = []
  let length = parts[0]?.length ?? 0
  for (const [index, object] of objects.entries()) {
    const part = `${index + 1} 0 obj\n${object}\nendobj\n`
    places.push(length)
    parts.push(part)
    length += part.length
  }
  parts.push(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("")}`)
  parts.push(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`)
  return new Uint8Array(Buffer.from(parts.join(""), "latin1"))
}
