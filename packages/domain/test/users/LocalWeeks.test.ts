import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import * as fc from "fast-check"
import { addDays, countDays, localDayOf, startOfLocalDay } from "../../src/users/LocalDays.ts"
import { mondayOf, weeksWithin } from "../../src/users/LocalWeeks.ts"

const day = fc.integer({ min: -25_000, max: 80_000 }).map((days) => addDays("1970-01-01", days))

describe("local weeks", () => {
  it("begin on Mondays", () => {
    assert.strictEqual(mondayOf("2026-03-02"), "2026-03-02")
    assert.strictEqual(mondayOf("2026-03-08"), "2026-03-02")
    assert.strictEqual(mondayOf("2026-01-01"), "2025-12-29")
    assert.strictEqual(mondayOf("1969-12-31"), "1969-12-29")
  })

  it("have every day of a period once, in order, and only its days", () => {
    fc.assert(fc.property(day, fc.integer({ min: 0, max: 400 }), (start_date, more) => {
      const end_date = addDays(start_date, more)
      const weeks = weeksWithin({ start_date, end_date })
      assert.strictEqual(weeks[0]?.start_date, start_date)
      assert.strictEqual(weeks.at(-1)?.end_date, end_date)
      assert.strictEqual(weeks.reduce((days, week) => days + countDays(week.start_date, week.end_date), 0), more + 1)
      for (const week of weeks) assert.strictEqual(mondayOf(week.start_date), mondayOf(week.end_date))
    }))
  })
})

describe("the local day of an instant", () => {
  it("is the day whose beginning came last, in zones that skip their midnight too", () => {
    for (const timezone of ["UTC", "America/New_York", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Auckland", "Asia/Kathmandu"]) {
      fc.assert(fc.property(fc.integer({ min: 1_500_000_000, max: 1_800_000_000 }), (seconds) => {
        const instant = DateTime.makeUnsafe(seconds * 1_000)
        const local = localDayOf(instant, timezone)
        assert.isTrue(DateTime.isLessThanOrEqualTo(startOfLocalDay(local, timezone), instant), `${timezone} ${seconds}`)
        assert.isTrue(DateTime.isGreaterThan(startOfLocalDay(addDays(local, 1), timezone), instant), `${timezone} ${seconds}`)
      }))
    }
    // Cairo went from 23:59:59 to 01:00 on 26 April 2024.
    assert.strictEqual(localDayOf(DateTime.makeUnsafe("2024-04-25T21:59:59Z"), "Africa/Cairo"), "2024-04-25")
    assert.strictEqual(DateTime.formatIso(startOfLocalDay("2024-04-26", "Africa/Cairo")), "2024-04-25T22:00:00.000Z")
  })

  it("is that of UTC where there is no such zone", () => {
    assert.strictEqual(localDayOf(DateTime.makeUnsafe("2026-03-02T23:30:00Z"), "Nowhere/City"), "2026-03-02")
  })
})
