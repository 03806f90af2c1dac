import { assert, describe, it } from "@effect/vitest"
import type { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import { MAX_RESULT_BYTES } from "@englog/rpc/grpc/WireLimits"
import { renderReview } from "@englog/worker/pdf/ReviewDocument"
import { Effect } from "effect"
import { extractText, getDocumentProxy } from "unpdf"
import { entriesOf, review } from "../support/review.ts"

/** Another library's view of a document. */
const read = Effect.fnUntraced(function*(given: PerformanceReview) {
  const { pages, pdf } = yield* renderReview(given)
  const document = yield* Effect.promise(() => getDocumentProxy(new Uint8Array(pdf)))
  const { text } = yield* Effect.promise(() => extractText(document, { mergePages: true }))
  const numbers = Array.from({ length: document.numPages }, (_, index) => index + 1)
  const parts = yield* Effect.forEach(numbers, (number) => Effect.promise(() => document.getPage(number)))
  const annotations = yield* Effect.forEach(parts, (page) => Effect.promise(() => page.getAnnotations()))
  const trees = yield* Effect.forEach(parts, (page) => Effect.promise(() => page.getStructTree()))
  const outline = yield* Effect.promise(() => document.getOutline())
  const { info } = yield* Effect.promise(() => document.getMetadata())
  const destinations = yield* Effect.promise(() => document.getDestinations())
  return {
    pages,
    counted: document.numPages,
    // Where lines were broken means nothing.
    text: spaced(text),
    outline: outline?.map(({ title }) => title),
    info: JSON.stringify(info),
    destinations: Object.keys(destinations),
    links: annotations.flat().filter(({ subtype }) => subtype === "Link").map(({ dest }) => String(dest)),
    tags: JSON.stringify(trees)
  }
})

const spaced = (text: string) => text.replace(/\s+/g, " ").trim()

describe("a performance review as PDF", () => {
  it.effect("says every figure, title and name that it was given", () => Effect.gen(function*() {
    const given = review(entriesOf(60))
    const { text } = yield* read(given)
    for (const { label, text: figure } of [...given.summary, ...given.metrics]) assert.include(text, figure, label)
    for (const { name, share, time } of [...given.by_type, ...given.by_value, ...given.by_impact]) assert.include(text, `${time} · ${share}`, name)
    for (const { name, share, time } of given.by_project) assert.include(text, `${name} ${time} ${share}`)
    for (const { title } of [...given.highlights, ...given.cited]) assert.include(text, title)
    for (const words of ["Performance review", "Ada Lovelace", "1 Jan 2026 – 31 Dec 2026", "Europe/Berlin", "2 Jan 2027", "the built-in narrator"]) assert.include(text, words)
    const plain = (given.insight?.paragraphs ?? []).map(({ text }) => spaced(text.replace(/^#+ /, ""))).filter((text) => !/[*\n-]/.test(text))
    assert.isAbove(plain.length, 5)
    for (const paragraph of plain) assert.include(text, paragraph)
  }))

  it.effect("has pages that are numbered, bookmarks, a name, and tags that screen readers follow", () => Effect.gen(function*() {
    const { counted, info, outline, pages, tags, text } = yield* read(review(entriesOf(60)))
    assert.strictEqual(pages, counted)
    for (let page = 1; page <= pages; page++) assert.include(text, `${page} / ${pages}`)
    assert.deepStrictEqual(outline, [
      "At a glance", "Time per week", "Projects", "Where the time went", "Summary of the work", "Work of highest value and impact", "Metrics", "Cited entries"
    ])
    for (const part of ['"Title":"Performance review – Ada Lovelace"', '"Author":"Ada Lovelace"', '"Language":"en"']) assert.include(info, part)
    for (const tag of ["H1", "H2", "Table", "TH", "TD", "Figure", "LI"]) assert.include(tags, `"role":"${tag}"`)
    assert.match(tags, /"alt":"Hours per week\. 2026-01-01: /)
  }))

  it.effect("leads from each note to its entry", () => Effect.gen(function*() {
    const given = review(entriesOf(60))
    const { destinations, links } = yield* read(given)
    const notes = (given.insight?.paragraphs ?? []).flatMap(({ notes }) => notes)
    assert.isAbove(notes.length, 5)
    assert.sameMembers(destinations, given.cited.map((_, index) => `entry-${index + 1}`))
    assert.sameMembers([...new Set(links)], [...new Set(notes.map((note) => `entry-${note}`))])
  }))

  it.effect("writes many scripts, and names what no font has instead of drawing boxes", () => Effect.gen(function*() {
    const title = "日本語 简体中文 繁體 한국어 Ελληνικά Русский Հայերեն ქართული ✓ नम 🎉"
    const { text } = yield* read(review(entriesOf(3, { title, description: "Zażółć gęślą jaźń — naïve €5" }), { person: "Łukasz Ğündoğdu" }))
    for (const words of ["日本語", "简体中文", "繁體", "한국어", "Ελληνικά", "Русский", "Հայերեն", "ქართული", "✓", "[U+0928][U+092E]", "[U+1F389]", "Zażółć gęślą jaźń — naïve €5", "Łukasz Ğündoğdu"]) {
      assert.include(text, words)
    }
  }))

  it.effect("sets words that are longer than a line, and cuts nothing off", () => Effect.gen(function*() {
    const word = "w".repeat(500)
    const { text } = yield* read(review(entriesOf(2, { description: word })))
    assert.include(text.replace(/ /g, ""), word)
  }))

  it.effect("of nothing says so", () => Effect.gen(function*() {
    const { pages, text } = yield* read(review([]))
    assert.strictEqual(pages, 1)
    assert.include(text, "Nothing was recorded in this period.")
  }))

  it.live("of 5,000 entries is small enough to be handed in, made within seconds and 200 MB", () => Effect.gen(function*() {
    const given = review(entriesOf(5_000))
    const before = process.memoryUsage().rss
    const started = performance.now()
    const { pages, pdf } = yield* renderReview(given)
    const [seconds, megabytes] = [(performance.now() - started) / 1_000, (process.memoryUsage().rss - before) / 1e6]
    assert.isBelow(pdf.length * 4 / 3, MAX_RESULT_BYTES / 2)
    assert.isBelow(pages, 20)
    assert.isBelow(seconds, 20)
    assert.isBelow(megabytes, 200)
  }), 60_000)
})
