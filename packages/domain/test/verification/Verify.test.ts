import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { makeLocalClock } from "../../src/facts/LocalTime.ts"
import { checkFigures } from "../../src/figures/FigureCheck.ts"
import { InsightId } from "../../src/Ids.ts"
import { NarrationInput } from "../../src/insights/Insight.ts"
import { narrate } from "../../src/narrator/Narrator.ts"
import { verifyText } from "../../src/verification/TextVerification.ts"
import type { RecordChange } from "../../src/verification/Verification.ts"
import { verify } from "../../src/verification/Verify.ts"
import { arbitraryEntries, entry, zones } from "../facts/fixtures.ts"

const period = { start: "2025-02-01", end: "2025-07-31" }
const sheetOf = (entries: ReadonlyArray<FactEntry>, timezone: string) => computeFacts({ entries, preceding: [], timezone, period })

/** What is stored when the narrator writes about these entries. */
const stored = (entries: ReadonlyArray<FactEntry>, timezone: string, content?: string) => {
  const sheet = sheetOf(entries, timezone)
  const input = new NarrationInput({ insight_type: "monthly", context: null, sheet, entries: [...entries], entry_count: entries.length, cached: null })
  const draft = content === undefined ? narrate(input) : { content, tags: [], confidence: 1 }
  return { sheet, checked: checkFigures({ draft, sheet, entries, context: null }) }
}

const verified = (was: ReadonlyArray<FactEntry>, now: ReadonlyArray<FactEntry>, timezone: string, changes: ReadonlyArray<RecordChange> = []) => {
  const { checked, sheet } = stored(was, timezone)
  const today = sheetOf(now, timezone).facts
  return verify({
    insight_id: InsightId.make("00000000-0000-4000-8000-000000000000"),
    at: DateTime.makeUnsafe(0),
    was: sheet.facts, inOldSettings: today, now: today, changes,
    content: checked.content, statements: checked.statements, citations: checked.citations, entries: now, clock: makeLocalClock(timezone), context: null
  })
}

describe("a verification", () => {
  it("finds nothing where nothing changed, whatever the entries and the zone", () => {
    fc.assert(fc.property(arbitraryEntries(), zones, (entries, zone) => {
      const { facts, facts_unchanged, sentences, verdict } = verified(entries, entries, zone)
      assert.deepStrictEqual(sentences.filter(({ resolves }) => !resolves), [])
      assert.deepStrictEqual([verdict, facts_unchanged], ["verified", facts.length])
    }), { numRuns: 60 })
  })

  it("explains every fact that differs by an entry that was added, and calls none consistent that is not", () => {
    fc.assert(fc.property(arbitraryEntries({ maxLength: 12 }), fc.integer({ min: 0, max: 11 }), zones, (entries, at, zone) => {
      const gone = entries[at % Math.max(1, entries.length)]
      if (gone === undefined) return
      const was = entries.filter(({ id }) => id !== gone.id)
      const added = [{ kind: "entry_added" as const, entry_id: gone.id, fields: [] }]
      const explained = verified(was, entries, zone, added)
      assert.deepStrictEqual(explained.facts.filter(({ status, why }) => status !== "unchanged" && why.length === 0).map(({ id }) => id), [])
      assert.notStrictEqual(explained.verdict, "inconsistent")
      assert.strictEqual(verified(was, entries, zone).verdict, "inconsistent", "without a change there is no explanation")
    }), { numRuns: 60 })
  })

  it("finds a digit that was altered anywhere in the text", () => {
    const { checked, sheet } = stored(Array.from({ length: 6 }, (_, i) => entry(i + 1, { start: `2025-07-0${i + 1}T09:00:00Z`, duration_minutes: 50 + i * 25 })), "UTC")
    const places = [...checked.content.matchAll(/\d/g)].map(({ index }) => index)
    assert.isAbove(places.length, 20)
    for (const place of places) {
      const digit = (Number(checked.content[place]) + 1) % 10
      const content = checked.content.slice(0, place) + String(digit) + checked.content.slice(place + 1)
      const sentences = verifyText({
        content, statements: checked.statements, citations: checked.citations, was: sheet.facts, now: sheet.facts, entries: [], clock: makeLocalClock("UTC"), context: null
      })
      assert.isTrue(sentences.some(({ as_checked, figures }) => !as_checked && figures.some(({ resolves }) => !resolves)), content.slice(Math.max(0, place - 20), place + 20))
    }
  })

  it("knows its sentences again in lists, tables, quotes and code", () => {
    const content = "# All\n\n> Quoted {{total.time}}.\n> And more.\n\n1. One of {{total.entries}}\n2. **Bold** {{total.time}}\n\n| a | b |\n|---|:-:|\n| x | {{total.time}} |\n\n```sh\necho {{total.entries}}\n```\n\n---\n\nEnd."
    const { checked, sheet } = stored([entry(1)], "UTC", content)
    assert.deepStrictEqual(checked.removed, [])
    const sentences = verifyText({
      content: checked.content, statements: checked.statements, citations: [], was: sheet.facts, now: sheet.facts, entries: [], clock: makeLocalClock("UTC"), context: null
    })
    assert.deepStrictEqual(sentences.filter(({ as_checked }) => !as_checked), [])
    assert.strictEqual(sentences.flatMap(({ figures }) => figures).length, 5)
  })
})
