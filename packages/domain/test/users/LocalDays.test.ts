import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration } from "effect"
import * as fc from "fast-check"
import { addDays, countDays, localPeriod, precedingPeriod, startOfLocalDay } from "../../src/users/LocalDays.ts"

const iso = (instant: DateTime.Utc) => DateTime.formatIso(instant)
const hours = (day: string, zone: string) => {
  const { from, to } = localPeriod(day, day, zone)
  return Duration.toHours(DateTime.distance(from, to))
}
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")
const days = fc.integer({ min: 0, max: 3 * 365 }).map((offset) => addDays("2024-01-01", offset))

describe("the start of a local day", () => {
  it("is midnight of its zone", () => {
    assert.strictEqual(iso(startOfLocalDay("2025-07-01", "UTC")), "2025-07-01T00:00:00.000Z")
    assert.strictEqual(iso(startOfLocalDay("2025-07-01", "Europe/Berlin")), "2025-06-30T22:00:00.000Z")
    assert.strictEqual(iso(startOfLocalDay("2025-01-01", "Europe/Berlin")), "2024-12-31T23:00:00.000Z")
    assert.strictEqual(iso(startOfLocalDay("2025-07-01", "Asia/Kathmandu")), "2025-06-30T18:15:00.000Z")
  })

  it("is the first instant of the day where summer time begins at midnight", () => {
    // Havana skipped 00:00 to 01:00 on 2025-03-09.
    assert.strictEqual(iso(startOfLocalDay("2025-03-09", "America/Havana")), "2025-03-09T05:00:00.000Z")
  })

  it("is midnight UTC where the zone is unknown", () =>
    assert.strictEqual(iso(startOfLocalDay("2025-07-01", "Mars/Olympus")), "2025-07-01T00:00:00.000Z"))
})

describe("a local day", () => {
  it("has 23 hours when summer time begins and 25 when it ends", () => {
    assert.deepStrictEqual(["2025-03-29", "2025-03-30", "2025-10-26"].map((day) => hours(day, "Europe/Berlin")), [24, 23, 25])
    assert.deepStrictEqual(["2025-03-09", "2025-11-02"].map((day) => hours(day, "America/New_York")), [23, 25])
    assert.strictEqual(hours("2025-10-05", "Australia/Lord_Howe"), 23.5)
  })
})

describe("periods", () => {
  it("count both ends, across months, leap days and summer time", () => {
    assert.strictEqual(countDays("2025-07-01", "2025-07-31"), 31)
    assert.strictEqual(countDays("2024-02-28", "2024-03-01"), 3)
    assert.strictEqual(countDays("2025-03-24", "2025-03-30"), 7)
    assert.strictEqual(countDays("2025-07-01", "2025-07-01"), 1)
  })

  it("are preceded by as many local days, whatever their length in hours", () => {
    const before = precedingPeriod("2025-03-31", "2025-04-06", "Europe/Berlin")
    assert.deepStrictEqual([iso(before.from), iso(before.to)], ["2025-03-23T23:00:00.000Z", "2025-03-30T22:00:00.000Z"])
    assert.strictEqual(Duration.toHours(DateTime.distance(before.from, before.to)), 167)
  })

  it("touch without gap or overlap", () => {
    fc.assert(fc.property(days, fc.integer({ min: 1, max: 40 }), zones, (first, length, zone) => {
      const last = addDays(first, length - 1)
      const period = localPeriod(first, last, zone)
      assert.strictEqual(countDays(first, last), length)
      assert.strictEqual(iso(precedingPeriod(first, last, zone).to), iso(period.from))
      assert.strictEqual(iso(localPeriod(addDays(last, 1), addDays(last, 1), zone).from), iso(period.to))
      assert.isTrue(DateTime.isLessThan(period.from, period.to))
    }))
  })

  it("begin each day at a time of day that the zone shows as the day's first", () => {
    fc.assert(fc.property(days, zones, (day, zone) => {
      const local = DateTime.setZoneNamedUnsafe(startOfLocalDay(day, zone), zone)
      assert.strictEqual(DateTime.formatIsoDate(local), day)
    }))
  })
})
