import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import { checkFigures, NOTHING_VERIFIED } from "../../src/figures/FigureCheck.ts"
import { figuresIn } from "../../src/figures/Figures.ts"
import type { InsightContext } from "../../src/insights/Insight.ts"
import { arbitraryEntries, entry, entryId } from "../facts/fixtures.ts"

const entries = [
  entry(1, { title: "Implement OAuth 2.0 refresh", description: "Cut p95 latency by 90% for 1,247 users", project_name: "Auth", duration_minutes: 150 }),
  entry(2, { title: "Fix v2.1 login", description: "Replaced three retries; two-factor stays", type: "debug", start: "2025-07-02T09:00:00Z" }),
  entry(3, { title: "Standup", type: "meeting", start: "2025-07-02T12:00:00Z", duration_minutes: 15 })
]
const sheet = computeFacts({ entries, preceding: [], timezone: "UTC" })
const [one, two] = [`[[${entryId(1)}]]`, `[[${entryId(2)}]]`]
const check = (content: string, context: InsightContext | null = null, tags: ReadonlyArray<string> = []) =>
  checkFigures({ draft: { content, tags: [...tags], confidence: 0.8 }, sheet, entries, context })

describe("what resolves", () => {
  it("renders facts and keeps the sentence", () => {
    const checked = check("You recorded {{total.time}} in {{ total.entries }} entries.")
    assert.strictEqual(checked.content, "You recorded 3 h 45 min in 3 entries.")
    assert.deepStrictEqual([checked.sentences_kept, checked.sentences_total, checked.confidence], [1, 1, 0.8])
  })

  it("takes citations out of the text and lists them by paragraph of the result", () => {
    const checked = check(`# Work\n\nOAuth 2.0 is live ${one}.\n\n- Login v2.1 fixed ([[${entryId(2)}]], ${one})\n- Done.`)
    assert.strictEqual(checked.content, "# Work\n\nOAuth 2.0 is live.\n\n- Login v2.1 fixed\n- Done.")
    assert.deepStrictEqual(checked.citations, [
      { paragraph: 1, entry_ids: [entryId(1)] },
      { paragraph: 2, entry_ids: [entryId(2), entryId(1)] }
    ])
  })

  it.each([
    `Latency fell by 90% for 1,247 users ${one}.`,
    `Latency fell by 90 percent ${one}.`,
    `Three retries went, and two-factor login stayed ${two}.`,
    `Work began on 2025-07-01 ${one}.`,
    "First, keep mornings free. Second, group meetings. Third, rest.",
    "One of the themes was security, and this one stands out.",
    "The third party library was double-checked."
  ])("keeps %s", (sentence) => {
    assert.strictEqual(check(sentence).removed.length, 0)
  })

  it("lets the request's context vouch: text, keys, nested values and numbers", () => {
    const context = { time_frame: "6_months", goals: [{ hours: 12.5, "90_days": true }], quiet: ["09:00-11:00"] }
    assert.strictEqual(check("Over 6 months, 12.5 hours, 90 days, from 09:00–11:00.", context).removed.length, 0)
    assert.strictEqual(check("Over 7 months.", context).removed.length, 1)
    assert.strictEqual(check("The goal is 40 hours.", "Reach 40 hours a week").removed.length, 0)
  })

  it("swallows a unit that the fact already states", () => {
    assert.strictEqual(check("Code took {{type.code.share}}% and {{type.code.time}} hours, {{type.code.time}}h.").content, "Code took 66.7 % and 2 h 30 min, 2 h 30 min.")
  })
})

const lies = [
  "500 hours were saved.", "You saved 12.75 hours.", "Productivity rose by 40%.", "Productivity rose by 40 percent.", "About 1 in 2 tests failed.",
  "You worked 2,080 hours.", "Work began at 14:30.", "It shipped on 2024-01-01.", "Between 5–10 bugs were fixed.", "You closed ٣ issues.",
  "Complexity fell from n² to n.", "½ of the time went to reviews.", "You are 3x faster.", "It was the 2nd release.", "Output grew -5%.", "It cost $90.",
  "Five bugs were fixed.", "Twenty-one reviews were done.", "Two hundred and fifty tests passed.", "A dozen colleagues helped.", "Half of the time was focus.",
  "A third of the time was focus.", "Two thirds of it were meetings.", "Output doubled.", "You doubled your pace, twice.", "Reviews tripled.", "It is a tenfold gain.",
  "One hour was lost.", "You had one long meeting.", "Thousands of users benefit.", "A quarter of the week was lost.", "Savings of three million were made.",
  "Zero incidents occurred.", "You ranked fifth overall.", "It is 1**2** hours.", "It took t\u200bwo days.", "It took ｔｗｏ days.", "Costs fell by 5&percnt;.", `It fell by &#57;&#48;% ${one}.`,
  "{{total.entries}}00 entries exist.", "{{total.entries}}{{total.days}} entries exist.", "{{total.entries}} million entries exist.", "{{total.entries}}k entries.", "{{total.entries}}h of work.",
  "-{{total.entries}} entries.", "{{total.entries}}.5 entries.", "{{total.entries}}–{{total.days}} entries.", "{{total.days}}% of it.", "{{no.such.fact}} hours.", "{{total.time hours.",
  "You recorded 3 h 45 min.", "Latency fell by 90% for users.", `Latency fell by 80% ${one}.`, `There were 90 bugs ${one}.`, `OAuth 2 is live ${one}.`,
  `Cut to 247 users ${one}.`, `Version 2.1 is out ${one}.`, `It has one million and 90% users ${one}.`, "🔟 wins and 💯 effort.", "Ⅷ wins."
]

describe("what does not resolve", () => {
  it.each(lies)("removes %s", (lie) => {
    const checked = check(`The week went well. ${lie} Work continues.`)
    assert.strictEqual(checked.content, "The week went well. Work continues.")
    assert.closeTo(checked.confidence, 0.8 * 2 / (2 + checked.removed.length), 1e-9)
  })

  it("names the figure in the reason", () => {
    assert.include(check("You saved 500 hours.").removed[0]?.reason, "\"500\"")
    assert.include(check("It {{total.tme}} took.").removed[0]?.reason, "total.tme")
  })

  it("accepts a figure only in the paragraph that cites its entry", () => {
    assert.strictEqual(check(`OAuth is live ${one}.\n\nOAuth 2.0 is live.`).content, "OAuth is live.")
  })

  it("drops an unknown citation and judges the sentence on", () => {
    const checked = check(`Good work [[${entryId(99)}]]. OAuth 2.0 [[${entryId(99)}]].`)
    assert.strictEqual(checked.content, "Good work.")
    assert.deepStrictEqual(checked.citations, [])
  })

  it("says so when nothing is left", () => {
    const checked = check("# Review of 2024\n\n500 hours!\n\n- 3 wins")
    assert.strictEqual(checked.content, NOTHING_VERIFIED)
    assert.deepStrictEqual([checked.confidence, checked.sentences_kept, checked.sentences_total], [0, 0, 3])
    assert.strictEqual(figuresIn(NOTHING_VERIFIED).size, 0)
  })

  it("drops tags whose figures stand nowhere", () => {
    assert.deepStrictEqual(check("Fine.", null, ["focus", "saved-500h", "oauth 2.0", "focus", "{{total.time}}"]).tags, ["focus", "oauth 2.0"])
  })
})

describe("the Markdown that is left", () => {
  it("has no empty headings, dangling bullets or lead-ins without a list", () => {
    const checked = check([
      "# Review", "", "## Numbers", "", "The figures:", "", "- 500 hours", "- 40%", "", "## Work", "", "Went well:", "- Calm.", "- **Pace:** 3x.", "", "### Deep", "12 x."
    ].join("\n"))
    assert.strictEqual(checked.content, "# Review\n\n## Work\n\nWent well:\n- Calm.")
  })

  it("numbers lists itself, so that a list number is no place for a figure", () => {
    assert.strictEqual(check("500. hours saved\n501. 7 more\n3. calm").content, "1. hours saved\n2. calm")
  })

  it("judges a number at the head of a wrapped line", () => {
    assert.strictEqual(check("The count was\n14. It is fine.").content, "It is fine.")
  })

  it("drops the numbering of headings", () => {
    assert.strictEqual(check("## 1. Overview\n\nCalm.\n\n**2. More**\n\nFine.").content, "## Overview\n\nCalm.\n\n**More**\n\nFine.")
  })

  it("moves the children of a removed item up", () => {
    assert.strictEqual(check("- Auth\n- Saved 500 h\n  - calmly\n    - indeed\n- End").content, "- Auth\n- calmly\n- indeed\n- End")
  })

  it("judges table rows one by one and drops a table without rows", () => {
    const table = (rows: string) => check(`Intro.\n\n| Kind | Time |\n|---|---|\n${rows}`).content
    assert.strictEqual(table("| Code | {{type.code.time}} |\n| Ops | 9 h |"), "Intro.\n\n| Kind | Time |\n|---|---|\n| Code | 2 h 30 min |")
    assert.strictEqual(table("| Ops | 9 h |"), "Intro.")
  })

  it("does not break sentences on abbreviations, versions, URLs, decimals or code", () => {
    const text = "Used e.g. Redis (i.e. OAuth 2.0, see https://a.b/c.d?e=1.f) and `x. Y` for v2.1 vs. J. Smith's 0.5. Next."
    const removed = check(`${text} ${one}`).removed
    assert.deepStrictEqual(removed.map(({ sentence }) => sentence), [text.slice(0, -" Next.".length)])
    assert.strictEqual(check("Used e.g. Redis, 500 times. Next.").content, "Next.")
  })

  it("unwraps an answer that came as a code block and closes emphasis it cut", () => {
    assert.strictEqual(check("```markdown\n# A\n\n**Calm. 5 wins. Done** now.\n```").content, "# A\n\n**Calm. Done** now.")
    assert.strictEqual(check("**Took 5 days. Done** now.").content, "Done now.")
  })

  it("keeps quotes, code and rules between what is left", () => {
    assert.strictEqual(check("> Calm.\n> 5 wins.\n\n---\n\n```sh\nls\n\ncat\n```\n\n---\n\n7 wins.").content, "> Calm.\n\n---\n\n```sh\nls\ncat\n```")
  })
})

describe("any draft", () => {
  const piece = fc.oneof(
    fc.constantFrom(...lies), fc.string({ unit: "binary", maxLength: 30 }), fc.string({ unit: "grapheme", maxLength: 30 }),
    fc.constantFrom("\n\n", "\n", " ", "# ", "- ", "1. ", "| a | b |\n|--|--|\n| 5 | c |\n", "```\n", "> ", "**", "`", "{{total.time}}", "{{", one, two, "Fine. ")
  )
  const drafts = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join("") || "x")

  it("never lets an unresolved digit pass", () => {
    fc.assert(fc.property(drafts, fc.option(fc.constantFrom("Plan 40 h", "x2")), (content, context) => {
      const checked = check(content, context)
      const paragraphs = checked.content.split(/\n[^\S\n]*\n/)
      const facts = sheet.facts.map((fact) => fact.text).join(" ")
      paragraphs.forEach((paragraph, i) => {
        const cited = checked.citations.filter((c) => c.paragraph === i).flatMap((c) => c.entry_ids)
        const sources = entries.filter(({ id }) => cited.includes(id)).map((e) => `${e.title} ${e.description} ${e.project_name} 2025-07-01 2025-07-02`)
        const allowed = `${facts} ${sources.join(" ")} ${context ?? ""}`
        const text = paragraph.replace(/^((?:> )*)( *)\d+\. /gm, "$1$2")
        for (const [run] of text.matchAll(/\p{N}+/gu)) assert.include(allowed, run, JSON.stringify({ content, checked: checked.content }))
      })
    }), { numRuns: 500 })
  })

  it("gets an answer whose counts, confidence and citations agree", () => {
    fc.assert(fc.property(drafts, (content) => {
      const checked = check(content)
      assert.isAtMost(checked.sentences_kept, checked.sentences_total)
      assert.isTrue(checked.confidence >= 0 && checked.confidence <= 0.8)
      assert.isAbove(checked.content.length, 0)
      const paragraphs = checked.content.split(/\n[^\S\n]*\n/).length
      for (const { entry_ids, paragraph } of checked.citations) {
        assert.isBelow(paragraph, paragraphs)
        assert.isTrue(entry_ids.every((id) => entries.some((e) => e.id === id)))
      }
    }), { numRuns: 300 })
  })

  it("resolves an entry's own words once it is cited", () => {
    fc.assert(fc.property(arbitraryEntries({ maxLength: 3 }), (some) => {
      for (const e of some) for (const figure of figuresIn(e.title)) assert.isTrue(figuresIn(e.title, true).has(figure))
    }))
  })

  it.each([
    ["spaces", " ".repeat(100_000)], ["backticks", "`".repeat(100_000)], ["brackets", "[[".repeat(50_000)], ["braces", "{{".repeat(50_000)], ["stars", "*a".repeat(50_000)],
    ["digits", "1".repeat(100_000)], ["groups", "100 ".repeat(25_000)], ["number words", "two hundred ".repeat(8_000)], ["stops", "a. ".repeat(33_000)], ["quotes", "> ".repeat(50_000)],
    ["pipes", "|-|\n".repeat(25_000)], ["bullets", "- a:\n".repeat(20_000)], ["nested", Array.from({ length: 5_000 }, (_, i) => `${" ".repeat(i % 40)}- a:`).join("\n")],
    ["headings", "# a\n\n5\n\n".repeat(12_000)], ["angles", "<".repeat(100_000)], ["hashes", `# ${"#".repeat(50_000)} ${" ".repeat(49_000)}x`], ["rules", `${"- ".repeat(49_000)}x`],
    ["citations", `${one} 2.0 `.repeat(2_200)], ["commas", "1,".repeat(50_000)], ["combining", "e\u0301".repeat(50_000)], ["marks", `[ ${one} `.repeat(2_300)], ["escapes", "\\*".repeat(50_000)],
    ["delimiters", `|\n|${"-".repeat(99_000)}x`], ["fences", "```\n".repeat(25_000)], ["tabs", `a${"\t".repeat(99_000)}b`], ["ones", "one ".repeat(25_000)]
  ])("answers in time on 100 kB of %s", (_, content) => {
    // Processor time, which a busy machine does not stretch.
    const started = process.cpuUsage()
    check(content)
    assert.isBelow(process.cpuUsage(started).user / 1_000, 1_500)
  })
})
