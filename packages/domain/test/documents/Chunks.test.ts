/** Chunks of documents that nobody would write, and of some that somebody would. */
import { assert, describe, it } from "@effect/vitest"
import type { Chunk, ChunkLimits } from "@englog/domain/documents/ChunkCuts"
import { chunkCutter, chunksOf, type StructuredText } from "@englog/domain/documents/Chunks"
import * as fc from "fast-check"

const pieces = fc.oneof(
  fc.lorem({ maxCount: 12, mode: "sentences" }).map((text) => ({ text, kind: "text" as const })),
  fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => ({ text: text.replaceAll("`", ""), kind: "text" as const })),
  fc.constantFrom("👩‍👩‍👧‍👦".repeat(40), "e\u0301".repeat(200), "漢字かな".repeat(60), "🇩🇪🇫🇷".repeat(30), "\r\n\r\n", "   \t ", "क्षत्रिय ".repeat(30))
    .map((text) => ({ text, kind: "text" as const })),
  fc.record({ level: fc.integer({ min: 1, max: 6 }), title: fc.lorem({ maxCount: 3 }) }).map(({ level, title }) => ({ text: `${"#".repeat(level)} ${title}`, kind: "heading" as const, level, title })),
  fc.array(fc.lorem({ maxCount: 8 }), { maxLength: 30 }).map((lines) => ({ text: `\`\`\`\n${lines.join("\n")}\n\`\`\``, kind: "fence" as const }))
)

/** As a parser would tell it. */
const documents: fc.Arbitrary<StructuredText> = fc.array(pieces, { maxLength: 25 }).map((parts) => {
  let text = ""
  const headings: Array<StructuredText["headings"][number]> = []
  const fences: Array<StructuredText["fences"][number]> = []
  for (const part of parts) {
    const [start, end] = [text.length, text.length + part.text.length]
    if (part.kind === "heading") headings.push({ start, end, level: part.level, title: part.title })
    if (part.kind === "fence") fences.push({ start, end })
    text += `${part.text}\n\n`
  }
  return { text, headings, fences }
})

const limits: fc.Arbitrary<ChunkLimits> = fc.integer({ min: 100, max: 600 }).chain((chunk_size) =>
  fc.record({ chunk_size: fc.constant(chunk_size), overlap: fc.integer({ min: 0, max: Math.floor(chunk_size / 2) }) }))

const always = (holds: (document: StructuredText, limits: ChunkLimits, chunks: ReadonlyArray<Chunk>) => void) =>
  fc.assert(fc.property(documents, limits, (document, limits) => holds(document, limits, chunksOf(document, limits))), { numRuns: 500 })

describe("chunks", () => {
  it("have every character that is no white space in the own part of exactly one of them, in order", () => {
    always(({ text }, _, chunks) => {
      let until = 0
      for (const { core, end } of chunks) {
        assert.isAtLeast(core, until)
        assert.isAbove(end, core)
        assert.strictEqual(text.slice(until, core).trim(), "", "between two chunks is white space only")
        until = end
      }
      assert.strictEqual(text.slice(until).trim(), "")
    })
  })

  it("are never longer than their size", () => {
    always((_, { chunk_size }, chunks) => {
      for (const { end, start } of chunks) assert.isAtMost(end - start, chunk_size)
    })
  })

  it("begin and end between characters as people see them", () => {
    always(({ text }, _, chunks) => {
      const boundaries = new Set([text.length, ...Array.from(new Intl.Segmenter("und", { granularity: "grapheme" }).segment(text), ({ index }) => index)])
      for (const { core, end, start } of chunks) for (const edge of [start, core, end]) assert.isTrue(boundaries.has(edge), `${edge} of ${JSON.stringify(text)}`)
    })
  })

  it("cut no code fence that fits into one, neither at their end nor where they repeat the one before", () => {
    always(({ fences }, { chunk_size }, chunks) => {
      const whole = fences.filter(({ end, start }) => end - start <= chunk_size)
      for (const { core, end, start } of chunks) {
        for (const edge of [start, core, end]) assert.isFalse(whole.some((fence) => fence.start < edge && edge < fence.end))
      }
    })
  })

  it("repeat as much as they are told to, unless a section, a character, a fence or a fence's room is in the way", () => {
    always(({ fences, headings, text }, { chunk_size, overlap }, chunks) => {
      const graphemes = Array.from(new Intl.Segmenter("und", { granularity: "grapheme" }).segment(text), ({ index }) => index)
      for (const [index, { core, end, heading_path, start }] of chunks.entries()) {
        assert.isAtMost(core - start, overlap)
        const before = chunks[index - 1]
        if (before === undefined || before.end !== core || headings.some((heading) => core - overlap < heading.start && heading.start <= core)) continue
        if (JSON.stringify(before.heading_path) !== JSON.stringify(heading_path)) continue
        if (fences.some((fence) => fence.start < core && fence.end > core - overlap || fence.start === core && end === fence.end)) continue
        const section = headings.findLast((heading) => heading.start <= core)?.start ?? 0
        const wanted = Math.max(section, core - overlap, 0)
        if (end - start >= chunk_size) continue
        assert.isAtMost(start - wanted, 64, "only to the next character's edge")
        assert.isTrue(graphemes.filter((edge) => edge >= wanted && edge < start).length === 0)
      }
    })
  })

  it("stand under the headings that come before them", () => {
    const text = "# One\n\n## Two\n\nbody\n\n# Three\n\nmore"
    const headings = [{ start: 0, end: 5, level: 1, title: "One" }, { start: 7, end: 13, level: 2, title: "Two" }, { start: 21, end: 28, level: 1, title: "Three" }]
    const chunks = chunksOf({ text, headings, fences: [] }, { chunk_size: 100, overlap: 10 })
    assert.deepStrictEqual(chunks.map(({ end, heading_path, start }) => [heading_path.join(" > "), text.slice(start, end)]), [
      ["One > Two", "# One\n\n## Two\n\nbody\n\n"],
      ["Three", "# Three\n\nmore"]
    ])
  })

  it("end at sentences where paragraphs are too long, in scripts without spaces as well", () => {
    for (const sentence of ["The quick brown fox jumps over the lazy dog. ", "数据库每天凌晨两点备份。", "क्या सर्वर चालू है। "]) {
      const text = sentence.repeat(30)
      for (const { end } of chunksOf({ text, headings: [], fences: [] }, { chunk_size: 200, overlap: 0 })) assert.strictEqual(end % sentence.length, 0, sentence)
    }
  })

  it("cut a fence that is longer than a chunk between its lines", () => {
    const line = "const answer = 42\n"
    const text = `\`\`\`js\n${line.repeat(40)}\`\`\``
    const chunks = chunksOf({ text, headings: [], fences: [{ start: 0, end: text.length }] }, { chunk_size: 200, overlap: 0 })
    assert.isAbove(chunks.length, 3)
    for (const { end } of chunks.slice(0, -1)) assert.strictEqual(text[end - 1], "\n")
  })

  it("are the same whether the document comes whole or piece by piece", () => {
    const long = fc.array(documents, { minLength: 20, maxLength: 40 }).map(joined)
    const cuts = fc.array(fc.nat(), { maxLength: 12 })
    fc.assert(fc.property(long, limits, cuts, (document, limits, places) => {
      const cutter = chunkCutter(limits)
      const streamed = [...piecesOf(document, places).flatMap(cutter.push), ...cutter.end()]
      assert.deepStrictEqual(streamed, chunksOf(document, limits))
      for (const { end, start, text } of streamed) assert.strictEqual(text, document.text.slice(start, end))
    }), { numRuns: 200 })
  })
})

const joined = (parts: ReadonlyArray<StructuredText>): StructuredText =>
  parts.reduce((whole, { fences, headings, text }) => {
    const by = whole.text.length
    return {
      text: whole.text + text,
      headings: [...whole.headings, ...headings.map((one) => ({ ...one, start: one.start + by, end: one.end + by }))],
      fences: [...whole.fences, ...fences.map(({ end, start }) => ({ start: start + by, end: end + by }))]
    }
  }, { text: "", headings: [], fences: [] })

/** Cut anywhere but within a heading or a fence, as parsers do. */
const piecesOf = ({ fences, headings, text }: StructuredText, places: ReadonlyArray<number>): ReadonlyArray<StructuredText> => {
  const spans = [...headings, ...fences]
  const cuts = places.map((place) => place % (text.length + 1)).filter((at) => !spans.some(({ end, start }) => start < at && at < end)).sort((a, b) => a - b)
  return [...cuts, text.length].map((until, index) => {
    const from = cuts[index - 1] ?? 0
    const here = ({ start }: { readonly start: number }) => from <= start && (start < until || until === text.length)
    return { text: text.slice(from, until), headings: headings.filter(here), fences: fences.filter(here) }
  })
}
