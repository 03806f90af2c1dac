import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { sharesBy, sharesOfEach } from "../../src/analytics/TimeShares.ts"
import { isoWeek, weekTrends } from "../../src/analytics/Trends.ts"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { isoDate, makeLocalClock, placeEntries } from "../../src/facts/LocalTime.ts"
import { arbitraryEntries, entry, zones } from "../facts/fixtures.ts"

const dayOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / 86_400_000
const place = (entries: ReadonlyArray<FactEntry>, timezone = "UTC") => placeEntries(entries, makeLocalClock(timezone))
const minutesOf = (entries: ReadonlyArray<FactEntry>) => entries.reduce((sum, one) => sum + one.duration_minutes, 0)

describe("ISO weeks", () => {
  it.each([
    ["2021-01-03", "2020-W53"], ["2021-01-04", "2021-W01"], ["2024-12-30", "2025-W01"], ["2026-01-01", "2026-W01"],
    ["2026-12-31", "2026-W53"], ["2027-01-03", "2026-W53"], ["1970-01-01", "1970-W01"], ["2025-07-06", "2025-W27"]
  ])("have %s in %s", (date, week) => assert.strictEqual(isoWeek(dayOf(date)), week))
})

describe("trends", () => {
  it("are of weeks that are over, oldest first, and know empty ones", () => {
    // A Wednesday.
    const weeks = weekTrends(place([
      entry(1, { start: "2025-06-23T09:00:00Z", duration_minutes: 90 }),
      entry(2, { start: "2025-06-29T23:00:00Z", type: "meeting", duration_minutes: 30 }),
      entry(3, { start: "2025-07-07T08:00:00Z", duration_minutes: 600 })
    ]), dayOf("2025-07-09"), 2, () => null)
    assert.deepStrictEqual(weeks.map(({ end_date, start_date, week }) => [week, start_date, end_date]), [
      ["2025-W26", "2025-06-23", "2025-06-29"],
      ["2025-W27", "2025-06-30", "2025-07-06"]
    ])
    assert.deepInclude(weeks[0], { minutes: 120, entries: 2, weekly_hours: 2, code_percentage: 75, meeting_percentage: 25, efficiency_score: 75 })
    assert.deepInclude(weeks[1], { minutes: 0, entries: 0, weekly_hours: 0, code_percentage: 0, metrics: null })
  })

  it("say of each week what the facts of its entries say", () => {
    fc.assert(fc.property(arbitraryEntries(), zones, fc.integer({ min: 0, max: 120 }), (entries, timezone, offset) => {
      const today = dayOf("2025-02-20") + offset
      const clock = makeLocalClock(timezone)
      for (const trend of weekTrends(place(entries, timezone), today, 6, () => null)) {
        const inside = entries.filter((one) => {
          const date = isoDate(clock.at(one.start_time.epochMilliseconds).day)
          return date >= trend.start_date && date <= trend.end_date
        })
        assert.isBelow(dayOf(trend.end_date), today)
        assert.deepStrictEqual(trend.metrics, computeFacts({ entries: inside, preceding: [], timezone }).metrics)
        assert.strictEqual(trend.minutes, minutesOf(inside))
        const share = (type: string) => minutesOf(inside) === 0 ? 0 : minutesOf(inside.filter((one) => one.type === type)) / minutesOf(inside) * 100
        assert.strictEqual(trend.code_percentage, share("code"))
        assert.strictEqual(trend.meeting_percentage, share("meeting"))
      }
    }), { numRuns: 200 })
  })
})

describe("shares", () => {
  it("add up to the whole, the largest first", () => {
    fc.assert(fc.property(arbitraryEntries(), (entries) => {
      const placed = place(entries)
      const byType = sharesBy(placed, ({ entry }) => entry.type)
      assert.strictEqual(byType.reduce((sum, { minutes }) => sum + minutes, 0), minutesOf(entries))
      assert.strictEqual(byType.reduce((sum, one) => sum + one.entries, 0), entries.length)
      assert.approximately(byType.reduce((sum, { share }) => sum + share, 0), minutesOf(entries) === 0 ? 0 : 100, 1e-9)
      assert.deepStrictEqual(byType.map(({ minutes }) => minutes), byType.map(({ minutes }) => minutes).toSorted((a, b) => b - a))
      const hours = sharesOfEach(placed, ({ local }) => local.hour, 0, 23)
      assert.deepStrictEqual(hours.map(({ key }) => key), Array.from({ length: 24 }, (_, hour) => hour))
      assert.strictEqual(hours.reduce((sum, { minutes }) => sum + minutes, 0), minutesOf(entries))
    }))
  })
})
