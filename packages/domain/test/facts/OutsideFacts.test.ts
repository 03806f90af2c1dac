import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { makeLocalClock, placeEntries } from "../../src/facts/LocalTime.ts"
import { checkFigures } from "../../src/figures/FigureCheck.ts"
import { NarrationInput } from "../../src/insights/Insight.ts"
import { buildPrompt } from "../../src/insights/Prompt.ts"
import { outsideWorkingHours } from "../../src/metrics/OutsideWorkingHours.ts"
import { narrate } from "../../src/narrator/Narrator.ts"
import type { WorkingHours } from "../../src/users/WorkingHours.ts"
import { arbitraryEntries, entry, entryId, zones } from "./fixtures.ts"

const nineToFive = [{ start: "09:00", end: "17:00" }]
const office: WorkingHours = { monday: nineToFive, tuesday: nineToFive, wednesday: nineToFive, thursday: nineToFive, friday: nineToFive, saturday: [], sunday: [] }

const sheetOf = (entries: ReadonlyArray<FactEntry>, timezone = "UTC", working_hours: WorkingHours | null = office) =>
  computeFacts({ entries, preceding: [], timezone, working_hours })
const factsOf = (...asked: Parameters<typeof sheetOf>) => sheetOf(...asked).facts.filter(({ id }) => id.startsWith("outside_hours."))

/** Of Tuesday: half of the first, nothing of the second; and all of a Saturday's. */
const work = [
  entry(1, { start: "2025-07-01T08:00:00Z", duration_minutes: 120 }),
  entry(2, { start: "2025-07-01T12:00:00Z" }),
  entry(3, { start: "2025-07-05T12:00:00Z" })
]

describe("the facts of time outside working hours", () => {
  it("say how much, which part of the whole, and which entries have some", () => {
    assert.deepStrictEqual(factsOf(work).map(({ entry_ids, id, text }) => [id, text, entry_ids]), [
      ["outside_hours.time", "2 h", [entryId(1), entryId(3)]],
      ["outside_hours.share", "50 %", [entryId(1), entryId(3)]],
      ["outside_hours.entries", "2", [entryId(1), entryId(3)]]
    ])
  })

  it("are there where working hours are set, nothing being outside too, and nowhere else", () => {
    assert.deepStrictEqual(factsOf(work.slice(1, 2)).map(({ entry_ids, text }) => [text, entry_ids.length]), [["0 min", 0], ["0 %", 0], ["0", 0]])
    assert.deepStrictEqual(factsOf(work, "UTC", null), [])
    assert.deepStrictEqual(factsOf([]), [])
  })

  it("are what dashboard and trends say, whatever the entries and the zone", () => {
    fc.assert(fc.property(arbitraryEntries(), zones, (entries, zone) => {
      if (entries.length === 0) return
      const clock = makeLocalClock(zone)
      const { entries: count, minutes, share } = outsideWorkingHours(placeEntries(entries, clock), office, clock)
      assert.deepStrictEqual(factsOf(entries, zone).map(({ entry_ids, value }) => [value, entry_ids.length]), [[minutes, count], [share, count], [count, count]])
    }))
  })

  it("are told by the narrator and offered to a model, and their figures pass the check", () => {
    const sheet = sheetOf(work)
    const input = new NarrationInput({ insight_type: "productivity", context: null, sheet, entries: work, entry_count: work.length, cached: null })
    const { citations, content, removed } = checkFigures({ draft: narrate(input), sheet, entries: work, context: null })
    assert.include(content, "2 h lay outside working hours (50 %), in 2 entries.")
    assert.deepStrictEqual(removed, [])
    const paragraph = content.split(/\n{2,}/).findIndex((text) => text.includes("outside working hours"))
    assert.sameMembers([...citations.find((citation) => citation.paragraph === paragraph)?.entry_ids ?? []], [entryId(1), entryId(3)])
    assert.include(buildPrompt(input).user, "{{outside_hours.time}} = Time outside working hours: 2 h")
    assert.notInclude(narrate(new NarrationInput({ ...input, sheet: sheetOf(work, "UTC", null) })).content, "working hours")
  })
})
