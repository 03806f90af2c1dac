import { assert, describe, it } from "@effect/vitest"
import type { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import type { GoalWork } from "@englog/domain/facts/GoalFacts"
import { GoalId } from "@englog/domain/Ids"
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

  it.effect("shows goals with what they ask for, how far they were and their state, and what lay outside working hours", () => Effect.gen(function*() {
    const entries = entriesOf(60)
    const long = "Read papers about consensus, and write down what each of them assumes of clocks, networks and disks, ".repeat(3).trim()
    const goal = (index: number, title: string, more: Partial<GoalWork> = {}): GoalWork => ({
      id: GoalId.make(`${index}0000000-0000-4000-8000-000000000000`), title, measure: "hours", target: 90, start_date: "2026-01-01", end_date: "2026-12-31", entries, ...more
    })
    const goals = [
      goal(1, "Write more code"), goal(2, long, { measure: "entries", target: 12 }), goal(3, "Certify", { start_date: "2026-12-30", end_date: "2027-02-01", entries: [] }),
      ...Array.from({ length: 49 }, (_, index) => goal(4, `Goal ${index} of many`, { end_date: "2026-02-01" }))
    ]
    const nights = [{ start: "00:00", end: "06:00" }]
    const working_hours = { monday: nights, tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
    const given = review(entries, { goals, working_hours })
    const { outline, tags, text } = yield* read(given)
    assert.deepStrictEqual(outline?.slice(3, 5), ["Where the time went", "Goals"])
    assert.include(text, "Write more code missed 45 h of 90 h (50 %) · 45 h in this period · 1 Jan 2026 – 31 Dec 2026")
    assert.include(text, "Certify behind 0 min of 90 h (0 %)")
    assert.include(text, "achieved 60 entries of 12 entries (500 %)")
    assert.include(text.replace(/ /g, ""), long.replace(/ /g, ""))
    for (const { title } of given.goals.slice(3)) assert.include(text, title)
    assert.include(text, "2 more of this period are not shown: those that ended first.")
    assert.include(tags, `"role":"LI"`)
    assert.match(text, /Time outside working hours \d+ h( \d+ min)? Share of all time outside working hours [\d.]+ %/)
    assert.notInclude((yield* read(review(entries))).text, "outside working hours")
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
