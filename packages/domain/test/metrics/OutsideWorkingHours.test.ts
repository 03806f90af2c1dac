import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import { makeLocalClock } from "../../src/facts/LocalTime.ts"
import { outsideWorkingHours } from "../../src/metrics/OutsideWorkingHours.ts"
import { type WorkingHours, weekdays, WorkingHoursRequest } from "../../src/users/WorkingHours.ts"

const MINUTE = 60_000

const free: WorkingHours = { monday: [], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
const nineToFive = [{ start: "09:00", end: "17:00" }]
const office: WorkingHours = { ...free, monday: nineToFive, tuesday: nineToFive, wednesday: nineToFive, thursday: nineToFive, friday: nineToFive }

const place = (entries: ReadonlyArray<readonly [start: string | number, minutes: number]>, timezone: string) => {
  const clock = makeLocalClock(timezone)
  return {
    clock,
    placed: entries.map(([at, duration_minutes]) => {
      const start = typeof at === "number" ? at : Date.parse(at)
      return { entry: { duration_minutes }, start, local: clock.at(start) }
    })
  }
}
const outside = (entries: ReadonlyArray<readonly [start: string | number, minutes: number]>, timezone: string, hours = office) => {
  const { clock, placed } = place(entries, timezone)
  return outsideWorkingHours(placed, hours, clock)
}

describe("time outside working hours", () => {
  it("is what of an entry lies before, between, after and on other days", () => {
    const broken = { ...free, monday: [{ start: "09:00", end: "12:00" }, { start: "13:00", end: "17:00" }] }
    // Monday, 2026-01-05, and the Sunday before it.
    assert.deepStrictEqual(outside([["2026-01-05T08:30:00Z", 60]], "UTC"), { minutes: 30, entries: 1, share: 50 })
    assert.deepStrictEqual(outside([["2026-01-05T11:30:00Z", 120]], "UTC", broken), { minutes: 60, entries: 1, share: 50 })
    assert.deepStrictEqual(outside([["2026-01-05T09:00:00Z", 480], ["2026-01-04T09:00:00Z", 480]], "UTC"), { minutes: 480, entries: 1, share: 50 })
    assert.deepStrictEqual(outside([["2026-01-05T16:00:00Z", 17 * 60]], "UTC"), { minutes: 16 * 60, entries: 1, share: 16 / 17 * 100 })
    assert.deepStrictEqual(outside([], "UTC"), { minutes: 0, entries: 0, share: 0 })
  })

  it("is told by the clock on the wall of the user's zone", () => {
    assert.strictEqual(outside([["2026-01-05T08:00:00Z", 60]], "Europe/Berlin").minutes, 0)
    assert.strictEqual(outside([["2026-01-05T08:00:00Z", 60]], "America/New_York").minutes, 60)
    assert.strictEqual(outside([["2026-01-05T21:00:00Z", 60]], "Asia/Tokyo").minutes, 60)
  })

  it("counts an hour that comes twice twice, and an hour that is skipped not at all", () => {
    const nights = { ...free, sunday: [{ start: "02:00", end: "03:00" }] }
    // 02:00 to 03:00 comes twice on 2025-10-26, and never on 2025-03-30.
    assert.strictEqual(outside([["2025-10-25T22:00:00Z", 300]], "Europe/Berlin", nights).minutes, 300 - 120)
    assert.strictEqual(outside([["2025-03-30T00:00:00Z", 120]], "Europe/Berlin", nights).minutes, 120)
    const from = { ...free, sunday: [{ start: "02:30", end: "04:00" }] }
    assert.strictEqual(outside([["2025-10-26T00:00:00Z", 180]], "Europe/Berlin", from).minutes, 180 - 120)
  })

  it("is what a watchman finds who looks at the clock every minute, whatever the clock is set to", () => {
    const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "no zone"]
    // Around changes of some of these clocks; the last is Apia's, which skipped a day.
    const changes = ["2025-03-30T00:00:00Z", "2025-10-26T00:00:00Z", "2025-03-09T06:00:00Z", "2025-11-02T05:00:00Z", "2025-04-05T14:00:00Z", "2025-10-04T14:00:00Z", "2011-12-30T09:00:00Z"]
    const time = fc.integer({ min: 0, max: 96 }).map((quarter) => `${String(Math.floor(quarter / 4)).padStart(2, "0")}:${String(quarter % 4 * 15).padStart(2, "0")}`)
    const day = fc.uniqueArray(time, { minLength: 0, maxLength: 6 }).map((times) => {
      const edges = times.toSorted()
      return Array.from({ length: Math.floor(edges.length / 2) }, (_, index) => ({ start: edges[2 * index] ?? "", end: edges[2 * index + 1] ?? "" }))
    })
    const hours = fc.record({ monday: day, tuesday: day, wednesday: day, thursday: day, friday: day, saturday: day, sunday: day })
    const entries = fc.array(
      fc.tuple(
        fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -2_000, max: 600 })).map(([change, minutes]) => Date.parse(change) + minutes * MINUTE),
        fc.integer({ min: 1, max: 2_000 })
      ),
      { maxLength: 3 }
    )
    fc.assert(fc.property(entries, fc.constantFrom(...zones), hours, (entries, timezone, hours) => {
      const wall = new Intl.DateTimeFormat("en", {
        timeZone: timezone === "no zone" ? "UTC" : timezone, weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23"
      })
      const isOutside = (instant: number) => {
        const parts = new Map(wall.formatToParts(instant).map(({ type, value }) => [type, value]))
        const now = `${parts.get("hour")}:${parts.get("minute")}`
        const today = weekdays.find((name) => name === parts.get("weekday")?.toLowerCase()) ?? "monday"
        return !hours[today].some(({ end, start }) => start <= now && now < end)
      }
      const found = entries.map(([start, length]) =>
        Array.from({ length }, (_, minute) => start + minute * MINUTE).filter(isOutside).length)
      const minutes = found.reduce((sum, one) => sum + one, 0)
      const told = outside(entries, timezone, hours)
      assert.deepInclude(told, { minutes, entries: found.filter((one) => one > 0).length })
    }), { numRuns: 150 })
  }, 60_000)
})

describe("working hours", () => {
  const decode = Schema.decodeUnknownResult(WorkingHoursRequest, { onExcessProperty: "error" })
  it("are intervals in order within each weekday", () => {
    assert.strictEqual(decode({ monday: [{ start: "00:00", end: "24:00" }] })._tag, "Success")
    assert.strictEqual(decode({ monday: [{ start: "09:00", end: "12:00" }, { start: "12:00", end: "17:00" }] })._tag, "Success")
    const refused: ReadonlyArray<readonly [unknown, string]> = [
      [{}, "must have an interval, or be null"],
      [{ monday: [] }, "must have an interval, or be null"],
      [{ monday: [{ start: "9:00", end: "17:00" }] }, "[\"monday\"][0][\"start\"]"],
      [{ monday: [{ start: "24:00", end: "24:00" }] }, "[\"monday\"][0][\"start\"]"],
      [{ monday: [{ start: "17:00", end: "09:00" }] }, "[\"monday\"][0][\"end\"]"],
      [{ monday: [{ start: "09:00", end: "12:00" }, { start: "11:59", end: "17:00" }] }, "[\"monday\"][1][\"start\"]"],
      [{ monday: Array.from({ length: 9 }, (_, hour) => ({ start: `0${hour}:00`, end: `0${hour}:30` })) }, "[\"monday\"]"],
      [{ someday: [] }, "someday"]
    ]
    for (const [value, place] of refused) {
      const result = decode(value)
      assert.strictEqual(result._tag, "Failure", JSON.stringify(value))
      if (result._tag === "Failure") assert.include(result.failure.message, place)
    }
  })
})
