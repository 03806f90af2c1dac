import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import * as fc from "fast-check"
import { dailyFigures } from "../../src/analytics/DailyFigures.ts"
import { DayRollup, daySumsBetween, type RolledEntry, rollUp } from "../../src/analytics/DayRollup.ts"
import { dayStatistics } from "../../src/analytics/DayStatistics.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { isoDate, makeLocalClock } from "../../src/facts/LocalTime.ts"
import { metricsOfDays, productivityMetrics } from "../../src/metrics/ProductivityMetrics.ts"
import { addDays } from "../../src/users/LocalDays.ts"
import { ProjectId } from "../../src/Ids.ts"
import { arbitraryEntries, zones } from "../facts/fixtures.ts"

const projects = [null, ProjectId.make("00000000-0000-4000-8000-000000000001"), ProjectId.make("00000000-0000-4000-8000-000000000002")]

const place = (entries: ReadonlyArray<FactEntry>, zone: string) => {
  const clock = makeLocalClock(zone)
  return entries.map((entry, index) => {
    const start = DateTime.toEpochMillis(entry.start_time)
    return { entry, start, local: clock.at(start), project_id: projects[index % projects.length] ?? null }
  })
}

const rolled = (placed: ReturnType<typeof place>): ReadonlyArray<DayRollup> =>
  [...Map.groupBy(placed, ({ local }) => isoDate(local.day))].map(([date, group]) =>
    rollUp(date, group.map(({ entry, local, project_id }): RolledEntry => ({
      hour: local.hour, duration_minutes: entry.duration_minutes, type: entry.type, value_rating: entry.value_rating, impact_level: entry.impact_level, project_id
    }))))

const encode = Schema.encodeSync(Schema.fromJsonString(Schema.Array(DayRollup)))
const decode = Schema.decodeSync(Schema.fromJsonString(Schema.Array(DayRollup)))

describe("roll-ups of days", () => {
  it("come to exactly the metrics that the entries come to, after a journey as JSON", () => {
    fc.assert(fc.property(arbitraryEntries({ text: fc.constant("t") }), zones, (entries, zone) => {
      const placed = place(entries, zone)
      const days = daySumsBetween("2025-02-01", "2025-06-30", decode(encode(rolled(placed))))
      assert.deepStrictEqual(metricsOfDays(days), productivityMetrics(placed))
    }))
  })

  it("add up where a day comes in several parts", () => {
    fc.assert(fc.property(arbitraryEntries({ text: fc.constant("t") }), fc.nat(25), (entries, cut) => {
      const placed = place(entries, "UTC")
      const whole = daySumsBetween("2025-02-01", "2025-06-30", rolled(placed))
      const parts = daySumsBetween("2025-02-01", "2025-06-30", [...rolled(placed.slice(0, cut)), ...rolled(placed.slice(cut))])
      assert.deepStrictEqual(parts, whole)
    }))
  })

  it("tell every day of the period and every week, cut off at its ends", () => {
    const one: RolledEntry = { hour: 9, duration_minutes: 90, type: "code", value_rating: "high", impact_level: "team", project_id: null }
    const figures = dailyFigures("2026-01-03", "2026-01-06", [rollUp("2026-01-05", [one, { ...one, type: "meeting", duration_minutes: 30 }])], 60)
    assert.deepStrictEqual(figures.days, [
      { date: "2026-01-03", minutes: 0, entries: 0 }, { date: "2026-01-04", minutes: 0, entries: 0 },
      { date: "2026-01-05", minutes: 120, entries: 2 }, { date: "2026-01-06", minutes: 0, entries: 0 }
    ])
    assert.deepStrictEqual(figures.weeks.map(({ end_date, minutes, start_date }) => ({ start_date, end_date, minutes })), [
      { start_date: "2026-01-03", end_date: "2026-01-04", minutes: 0 }, { start_date: "2026-01-05", end_date: "2026-01-06", minutes: 120 }
    ])
    assert.isNull(figures.weeks[0]?.metrics)
    assert.sameMembers(Object.keys(figures.definitions), Object.keys(figures.statistics).filter((name) => name !== "total" && name !== "metrics"))
  })
})

describe("statistics of days", () => {
  const of = (minutes: ReadonlyArray<number>, before = 0) =>
    dayStatistics(minutes.map((one, index) => {
      const date = addDays("2026-01-05", index)
      const entry: RolledEntry = { hour: 9, duration_minutes: one, type: "code", value_rating: "low", impact_level: "team", project_id: null }
      return daySumsBetween(date, date, one === 0 ? [] : [rollUp(date, [entry])])
    }).flat(), before)

  it("are those worked out by hand", () => {
    const { metrics: _, ...statistics } = of([2, 4, 4, 4, 5, 5, 7, 9], 20)
    assert.deepStrictEqual(statistics, {
      days: 8, days_with_entries: 8, total: { minutes: 40, entries: 8 }, mean: 5, median: 4.5, standard_deviation: 2, minimum: 2, maximum: 9,
      trend: 7 * 34 / 42, change: 100
    })
  })

  it("count days without entries, and are zero of no days", () => {
    assert.deepInclude(of([0, 0, 60]), { days: 3, days_with_entries: 1, mean: 20, median: 0, minimum: 0, maximum: 60, change: null })
    assert.deepInclude(of([]), { days: 0, mean: 0, median: 0, standard_deviation: 0, minimum: 0, maximum: 0, trend: 0, metrics: null })
  })

  it("have the slope of a straight line, and none of a level one", () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 0, max: 9 }), (length, slope) => {
      const { trend } = of(Array.from({ length }, (_, index) => 10 + slope * index))
      assert.closeTo(trend, 7 * slope, 1e-9)
    }))
  })
})
