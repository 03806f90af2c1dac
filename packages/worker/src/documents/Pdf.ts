/** PDF: the text of its pages; each page is a section that is called by its number. */
import { Effect, Predicate } from "effect"
import { getDocumentProxy, getMeta } from "unpdf"
import { MAX_PAGES, MAX_TEXT, type Parsed, titleOf, Unreadable } from "./Parsed.ts"

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>

export const parsePdf = (bytes: Uint8Array): Effect.Effect<Parsed, Unreadable> =>
  Effect.gen(function*() {
    // It reads no fonts of the system and loads nothing.
    const pdf = yield* Effect.tryPromise({ try: () => getDocumentProxy(bytes, { verbosity: 0, stopAtErrors: false }), catch: refusal })
    if (pdf.numPages > MAX_PAGES) return yield* new Unreadable({ message: `the document has ${pdf.numPages} pages; ${MAX_PAGES} are read at most` })
    const pages: Array<string> = []
    let length = 0
    for (let number = 1; number <= pdf.numPages; number++) {
      const text = yield* Effect.tryPromise({ try: () => pageText(pdf, number), catch: refusal })
      length += text.length
      if (length > MAX_TEXT) return yield* new Unreadable({ message: `the document holds more than ${MAX_TEXT} characters of text` })
      pages.push(text)
      if (number % KEPT === 0) yield* Effect.tryPromise({ try: () => pdf.cleanup(), catch: refusal })
    }
    if (pages.every((page) => page.trim() === "")) {
      return yield* new Unreadable({ message: "the document holds no text: its pages may be pictures, which are not read" })
    }
    return { ...joined(pages), fences: [], title: yield* titleIn(pdf) }
  })

/** Pages after which the reader forgets what it keeps of them: 200 kB of each, which of 4,000 are 750 MB. */
const KEPT = 100

const pageText = (pdf: Pdf, number: number): Promise<string> =>
  pdf.getPage(number)
    .then((page) => page.getTextContent())
    .then(({ items }) => items.map((item) => "str" in item ? item.hasEOL ? `${item.str}\n` : item.str : "").join(""))

const joined = (pages: ReadonlyArray<string>) => {
  let text = ""
  const headings = pages.map((page, index) => {
    const start = text.length
    text += index + 1 === pages.length ? page : `${page}\n\n`
    return { start, end: start, level: 1, title: `Page ${index + 1}` }
  })
  return { text: text.toWellFormed().replaceAll("\u0000", "\uFFFD"), headings }
}

const titleIn = (pdf: Pdf) =>
  Effect.tryPromise(() => getMeta(pdf)).pipe(
    Effect.map(({ info }) => Predicate.hasProperty(info, "Title") && typeof info.Title === "string" ? titleOf(info.Title) : null),
    // What a document says of itself may be broken where its pages are not.
    Effect.orElseSucceed(() => null)
  )

const refusal = (cause: unknown) =>
  new Unreadable({
    message: Predicate.hasProperty(cause, "name") && cause.name === "PasswordException"
      ? "the document is an encrypted PDF; hand it in without a password"
      : "the document is not a PDF that can be read: it is broken or not whole",
    cause
  })
