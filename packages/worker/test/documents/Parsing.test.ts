/** What parsers make of documents, well-meant ones and others; and what becomes of those that no parser ends with. */
import { assert, describe, it } from "@effect/vitest"
import { DocumentThreads, ThreadLimits } from "@englog/worker/documents/DocumentThreads"
import { DocumentReader, type DocumentBytes } from "@englog/worker/documents/DocumentReader"
import { outlineOf, textsOf } from "@englog/worker/documents/DocumentOutline"
import { parseSegment } from "@englog/worker/documents/Markdown"
import { parseDocument, type WholeSource } from "@englog/worker/documents/ParseDocument"
import { chunksOf } from "@englog/domain/documents/Chunks"
import { Duration, Effect, Layer, Stream } from "effect"
import { Buffer } from "node:buffer"
import PdfDocument from "pdfkit"

const html = (content: string): WholeSource => ({ format: "html", bytes: new TextEncoder().encode(content) })
const pdf = (bytes: Uint8Array): WholeSource => ({ format: "pdf", bytes: new Uint8Array(bytes) })
const markdown = (text: string) => ({ text, first: true, last: true })
const document = (format: DocumentBytes<never>["format"], bytes: Uint8Array, part = bytes.length): DocumentBytes<never> => ({
  format,
  bytes: Stream.fromIterable(Array.from({ length: Math.ceil(bytes.length / part) }, (_, index) => bytes.subarray(index * part, (index + 1) * part)))
})

/** One page for each text; none of a text: a page with a line drawn on it. */
const pdfOf = (pages: ReadonlyArray<string>, options: PDFKit.PDFDocumentOptions = {}) =>
  Effect.callback<Uint8Array>((resume) => {
    const document = new PdfDocument({ ...options, autoFirstPage: false })
    const parts: Array<Buffer> = []
    document.on("data", (part: Buffer) => parts.push(part))
    document.on("end", () => resume(Effect.succeed(Buffer.concat(parts))))
    for (const text of pages) {
      document.addPage()
      if (text === "") document.moveTo(0, 0).lineTo(100, 100).stroke()
      else document.text(text)
    }
    document.end()
  })

describe("Markdown", () => {
  it.effect("has its headings and fenced code found where CommonMark has them, and its text left as it is", () =>
    Effect.gen(function*() {
      const text = "---\ntitle: front matter\n---\n# One\n\nTwo\n---\n\n- item\n  ```js\n  # no heading\n  ```\n\n    # indented code\n\n> ~~~\n> quoted\n> ~~~\n"
      const parsed = yield* parseSegment(markdown(text))
      assert.strictEqual(parsed.consumed, text.length)
      assert.deepStrictEqual(parsed.headings.map(({ level, title }) => [level, title]), [[1, "One"], [2, "Two"]])
      assert.deepStrictEqual(parsed.fences.map(({ end, start }) => text.slice(start, end)), ["  ```js\n  # no heading\n  ```", "> ~~~\n> quoted\n> ~~~"])
      assert.strictEqual(parsed.title, "One")
    }))
})

describe("HTML", () => {
  it.effect("becomes the text that a reader sees, with headings and preformatted text kept apart", () =>
    Effect.gen(function*() {
      const parsed = yield* parseDocument(html(`<!doctype html><html><head><title>T &amp; t</title><style>p{}</style></head><body>
        <h1>Hello <b>World</b></h1><p>One   two<br>three</p><pre>code\n  more</pre><ul><li>a<li>b</ul>
        <script>steal()</script><table><tr><td>1</td><td>2</td></tr></table>&lt;b&gt; &#x1F600; &amp;amp;</body></html>`))
      assert.strictEqual(parsed.text, "# Hello World\n\nOne two\nthree\n\n```\ncode\n  more\n```\n\n- a\n- b\n\n1 2\n\n<b> 😀 &amp;")
      assert.deepStrictEqual(parsed.headings.map(({ end, start, title }) => [title, parsed.text.slice(start, end)]), [["Hello World", "# Hello World"]])
      assert.deepStrictEqual(parsed.fences.map(({ end, start }) => parsed.text.slice(start, end)), ["```\ncode\n  more\n```"])
      assert.strictEqual(parsed.title, "T & t")
    }))

  it.effect("that is a bomb is refused, or is what it says, and never takes long", () =>
    Effect.gen(function*() {
      const began = performance.now()
      const deep = yield* Effect.flip(parseDocument(html("<div>".repeat(150_000))))
      assert.match(deep.message, /more than 512 elements within each other/)
      const closing = yield* parseDocument(html(`${"<b>".repeat(400)}${"</i>".repeat(200_000)}x`))
      assert.strictEqual(closing.text, "x")
      const attribute = yield* parseDocument(html(`<a href="${"x".repeat(900_000)}">text</a>`))
      assert.strictEqual(attribute.text, "text")
      const attributes = yield* parseDocument(html(`<a ${Array.from({ length: 100_000 }, (_, index) => `a${index}`).join(" ")}>text</a>`))
      assert.strictEqual(attributes.text, "text")
      const entities = yield* parseDocument(html("<!DOCTYPE html [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><p>&b;&amp;lt;</p>"))
      assert.notInclude(entities.text, "aaaa\naaaa")
      assert.include(entities.text, "&lt;")
      const headings = yield* parseDocument(html("<h1>x</h1>".repeat(90_000)))
      assert.lengthOf(headings.headings, 90_000)
      assert.isBelow(performance.now() - began, 20_000)
    }), 60_000)
})

describe("a PDF", () => {
  it.live("has the text of its pages, each a section, and its own title", () =>
    Effect.gen(function*() {
      const bytes = yield* pdfOf(["Rotate the keys every spring.", "Backups are taken at night."], { info: { Title: "Handbook" } })
      const { headings, text, title } = yield* parseDocument(pdf(bytes))
      assert.include(text, "Rotate the keys every spring.")
      assert.strictEqual(title, "Handbook")
      assert.deepStrictEqual(headings.map(({ title }) => title), ["Page 1", "Page 2"])
      assert.isTrue(text.slice(headings[1]?.start).startsWith("Backups"))
    }))

  it.live("that is encrypted, broken, cut off or without text is refused with the reason", () =>
    Effect.gen(function*() {
      const refusal = (bytes: Uint8Array) => Effect.map(Effect.flip(parseDocument(pdf(bytes))), ({ message }) => message)
      assert.match(yield* refusal(yield* pdfOf(["secret"], { userPassword: "x", ownerPassword: "y" })), /encrypted PDF; hand it in without a password/)
      assert.match(yield* refusal(Buffer.from("%PDF-1.7\ngarbage")), /not a PDF that can be read/)
      assert.match(yield* refusal(new Uint8Array()), /not a PDF that can be read/)
      assert.match(yield* refusal(yield* pdfOf([""])), /holds no text: its pages may be pictures/)
      const whole = yield* pdfOf(["A page that will be lost."])
      assert.match(yield* refusal(whole.slice(0, 300)), /not a PDF that can be read|holds no text/)
    }), 60_000)
})

const reading = DocumentReader.layer

const textIn = (given: DocumentBytes<never>) =>
  Effect.flatMap(DocumentReader, (reader) => reader.open(given)).pipe(
    Effect.flatMap(({ text }) => Stream.runCollect(text)),
    Effect.map((pieces) => pieces.join("")),
    Effect.provide(reading)
  )

describe("text", () => {
  it.effect("that is none is refused", () =>
    Effect.gen(function*() {
      const refusal = (...bytes: ReadonlyArray<number>) => Effect.map(Effect.flip(textIn(document("text", Uint8Array.from(bytes)))), ({ message }) => message)
      assert.match(yield* refusal(0x41, 0xff), /no text in UTF-8/)
      assert.match(yield* refusal(0x41, 0xe2, 0x82), /no text in UTF-8/, "a character that is cut off")
      assert.match(yield* refusal(0x41, 0), /NUL/)
      assert.strictEqual(yield* textIn(document("text", Uint8Array.from([0xef, 0xbb, 0xbf, 0x41]))), "A")
    }))

  it.effect("is the same whatever the bytes come in", () =>
    Effect.gen(function*() {
      const text = "Grüße, 世界! 👩‍👩‍👧‍👦 ".repeat(30_000)
      const bytes = new TextEncoder().encode(text)
      for (const part of [65_537, 131_072, bytes.length]) assert.strictEqual(yield* textIn(document("text", bytes, part)), text)
    }))
})

describe("a document that is read piece by piece", () => {
  const limits = { chunk_size: 400, overlap: 40 }
  const names = { key: "a2V5", model: "test" }
  const section = (index: number) =>
    `# Part ${index}\n\nWords of part ${index} that nobody wrote.\n\n- one\n- two\n\n  still two\n\n\`\`\`sh\n# no heading ${index}\n\n${"run it\n".repeat(index % 30)}\`\`\`\n\n> quoted\n> ~~~\n> code\n> ~~~\n\n## Below ${index}\n\n${"More of it. ".repeat(index % 50)}\n\n`
  const text = `---\ntitle: x\n---\n${Array.from({ length: 600 }, (_, index) => section(index)).join("")}`

  it.live("has the chunks that it has as a whole, and their texts again", () =>
    Effect.gen(function*() {
      assert.isAbove(text.length, 250_000, "several segments of Markdown")
      const reader = yield* DocumentReader
      const opened = yield* reader.open(document("markdown", new TextEncoder().encode(text), 30_000))
      const outline = yield* outlineOf(opened, limits, names, () => Effect.void)
      const whole = chunksOf({ text, ...yield* parseSegment(markdown(text)) }, limits)
      assert.deepStrictEqual(outline.chunks.map(({ core, end, heading_path, start }) => ({ start, core, end, heading_path })), whole.map(({ core, end, heading_path, start }) => ({ start, core, end, heading_path })))
      assert.strictEqual(outline.characters, text.length)
      assert.strictEqual(outline.words, text.match(/[\p{L}\p{N}]+/gu)?.length)
      assert.strictEqual(outline.title, "Part 0")
      const some = outline.chunks.filter((_, index) => index % 7 === 3)
      const texts = yield* Stream.runCollect(textsOf(opened, some, limits.overlap))
      assert.deepStrictEqual(texts.map(([{ id }]) => id), some.map(({ id }) => id))
      for (const [{ end, start }, found] of texts) assert.strictEqual(found, text.slice(start, end))
    }).pipe(Effect.provide(reading)), 180_000)

  it.live("may be one list, or one paragraph, as large as it is", () =>
    Effect.gen(function*() {
      const reader = yield* DocumentReader
      for (const given of ["- an item of a list that does not end\n".repeat(30_000), "words without an end ".repeat(50_000), "x".repeat(700_000)]) {
        const opened = yield* reader.open(document("markdown", new TextEncoder().encode(given), 65_536))
        const { characters, chunks } = yield* outlineOf(opened, limits, names, () => Effect.void)
        assert.strictEqual(characters, given.length)
        assert.deepStrictEqual(chunks.map(({ core, end }) => [core, end]), chunksOf({ text: given, headings: [], fences: [] }, limits).map(({ core, end }) => [core, end]))
      }
    }).pipe(Effect.provide(reading)), 180_000)

  it.effect("has chunks with ids that stay, wherever they stand, and differ among each other", () =>
    Effect.gen(function*() {
      const reader = yield* DocumentReader
      const idsOf = Effect.fnUntraced(function*(given: string) {
        const { chunks } = yield* outlineOf(yield* reader.open(document("markdown", new TextEncoder().encode(given))), limits, names, () => Effect.void)
        return chunks.map(({ id }) => String(id))
      })
      const [one, two] = ["# One\nfirst\n", "# Two\nsecond\n"]
      const ids = yield* idsOf(`${one}${two}${two}`)
      assert.strictEqual(new Set(ids).size, 3)
      assert.deepStrictEqual((yield* idsOf(`# New\nin front\n${one}${two}${two}`)).slice(1), ids)
    }).pipe(Effect.provide(reading)))
})

describe("the threads of documents", () => {
  const within = (given: { readonly time: Duration.Duration; readonly megabytes: number }) => Layer.provide(DocumentThreads.layer, Layer.succeed(ThreadLimits, given))

  it.live("refuse what takes too long, while everything else goes on, and read the next document", () =>
    Effect.gen(function*() {
      const threads = yield* DocumentThreads
      let ticks = 0
      const ticking = yield* Effect.forkChild(Effect.forever(Effect.andThen(Effect.sleep("20 millis"), Effect.sync(() => ticks++))))
      const refused = yield* Effect.flip(threads.segment(markdown(">".repeat(200_000))))
      ticking.interruptUnsafe()
      assert.match(refused.message, /could not be read within/)
      assert.isAbove(ticks, 20, "the process was not blocked")
      assert.lengthOf((yield* threads.segment(markdown("# A\n\nb"))).headings, 1)
    }).pipe(Effect.provide(within({ time: Duration.seconds(5), megabytes: 512 }))), 180_000)

  it.live("refuse what takes too much memory", () =>
    Effect.gen(function*() {
      const threads = yield* DocumentThreads
      const refused = yield* Effect.flip(threads.segment(markdown("- *a* `b` [c](d)\n".repeat(60_000))))
      assert.match(refused.message, /needs more than 48 MiB/)
    }).pipe(Effect.provide(within({ time: Duration.seconds(150), megabytes: 48 }))), 180_000)

  it.effect("are asked no more than two questions at a time", () =>
    Effect.gen(function*() {
      const threads = yield* DocumentThreads
      const read = yield* Effect.forEach(Array.from({ length: 6 }, (_, index) => `# ${index}\n`), (text) => threads.segment(markdown(text)), { concurrency: "unbounded" })
      assert.deepStrictEqual(read.map(({ title }) => title), ["0", "1", "2", "3", "4", "5"])
    }).pipe(Effect.provide(DocumentThreads.layer)), 60_000)
})

describe("a document", () => {
  it.effect("without text is refused, and one with more chunks than are kept", () =>
    Effect.gen(function*() {
      const reader = yield* DocumentReader
      const refusal = Effect.fnUntraced(function*(text: string) {
        const opened = yield* reader.open(document("text", new TextEncoder().encode(text)))
        return (yield* Effect.flip(outlineOf(opened, { chunk_size: 100, overlap: 0 }, { key: "a2V5", model: "test" }, () => Effect.void))).message
      })
      assert.match(yield* refusal(" \n "), /holds no text/)
      assert.match(yield* refusal("word ".repeat(3_100_000)), /more than 150000 chunks; give a larger chunk_size/)
    }).pipe(Effect.provide(reading)), 120_000)
})
