import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import * as fc from "fast-check"
import { addDays, countDays, localDayOf, startOfLocalDay } from "../../src/users/LocalDays.ts"
import { reportWeekAt } from "../../src/users/ReportWeek.ts"

const at = (now: string, timezone: string) => {
  const { due, end_date, start_date } = reportWeekAt(DateTime.makeUnsafe(now), timezone)
  return `${start_date} ${end_date} ${DateTime.formatIso(due)}`
}

describe("the week to be reported", () => {
  it("changes on Monday at nine, by the user's own clock", () => {
    assert.strictEqual(at("2026-01-12T07:59:59Z", "Europe/Berlin"), "2025-12-29 2026-01-04 2026-01-05T08:00:00.000Z")
    assert.strictEqual(at("2026-01-12T08:00:00Z", "Europe/Berlin"), "2026-01-05 2026-01-11 2026-01-12T08:00:00.000Z")
    assert.strictEqual(at("2026-01-18T23:00:00Z", "Europe/Berlin"), "2026-01-05 2026-01-11 2026-01-12T08:00:00.000Z")
    assert.strictEqual(at("2026-01-12T08:00:00Z", "America/Sao_Paulo"), "2025-12-29 2026-01-04 2026-01-05T12:00:00.000Z")
    assert.strictEqual(at("2026-01-11T19:00:00Z", "Pacific/Kiritimati"), "2026-01-05 2026-01-11 2026-01-11T19:00:00.000Z")
    assert.strictEqual(at("2026-01-12T03:15:00Z", "Asia/Kathmandu"), "2026-01-05 2026-01-11 2026-01-12T03:15:00.000Z")
  })

  it("is due at nine after the clocks have changed, too", () => {
    assert.strictEqual(at("2026-03-30T07:00:00Z", "Europe/Berlin"), "2026-03-23 2026-03-29 2026-03-30T07:00:00.000Z", "summer time since Sunday")
    assert.strictEqual(at("2026-03-30T06:59:59Z", "Europe/Berlin"), "2026-03-16 2026-03-22 2026-03-23T08:00:00.000Z")
    assert.strictEqual(at("2026-10-26T08:00:00Z", "Europe/Berlin"), "2026-10-19 2026-10-25 2026-10-26T08:00:00.000Z", "winter time since Sunday")
    assert.strictEqual(at("2026-03-09T13:00:00Z", "America/New_York"), "2026-03-02 2026-03-08 2026-03-09T13:00:00.000Z")
    assert.strictEqual(at("2026-04-05T22:30:00Z", "Australia/Lord_Howe"), "2026-03-30 2026-04-05 2026-04-05T22:30:00.000Z", "half an hour")
  })

  it("is whole, in the past, and never left out from one moment to the next, in any zone", () => {
    const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "Nowhere/Else")
    const moments = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) })
    fc.assert(fc.property(zones, moments, (zone, millis) => {
      const now = DateTime.makeUnsafe(millis)
      const { due, end_date, start_date } = reportWeekAt(now, zone)
      assert.strictEqual(countDays(start_date, end_date), 7)
      assert.strictEqual(localDayOf(due, zone), addDays(end_date, 1))
      assert.isTrue(DateTime.isLessThanOrEqualTo(due, now))
      assert.isTrue(DateTime.isGreaterThan(due, startOfLocalDay(addDays(end_date, 1), zone)))
      const next = reportWeekAt(DateTime.add(now, { days: 7 }), zone)
      assert.include([addDays(start_date, 7), start_date, addDays(start_date, 14)], next.start_date)
      if (next.start_date === start_date) assert.isTrue(DateTime.isGreaterThan(DateTime.add(due, { hours: 24 * 14 + 2 }), DateTime.add(now, { days: 7 })))
    }), { numRuns: 1_000 })
  })
})
