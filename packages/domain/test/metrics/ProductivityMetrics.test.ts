import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { arbitraryEntries, entry, zones } from "../facts/fixtures.ts"

const metrics = (entries: ReadonlyArray<FactEntry>, timezone = "UTC") => computeFacts({ entries, preceding: [], timezone }).metrics

/** The definitions once more, in the plainest words, with Intl deciding on days and hours. */
const naive = (entries: ReadonlyArray<FactEntry>, timezone: string) => {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, hourCycle: "h23", weekday: "long", year: "numeric", month: "numeric", day: "numeric", hour: "numeric" })
  const place = (one: FactEntry) => {
    const parts = Object.fromEntries(format.formatToParts(one.start_time.epochMilliseconds).map((part) => [part.type, part.value]))
    return { date: `${parts["year"]}/${parts["month"]}/${parts["day"]}`, hour: Number(parts["hour"]), weekday: parts["weekday"] ?? "" }
  }
  const places = new Map(entries.map((one) => [one, place(one)]))
  const local = (one: FactEntry) => places.get(one) ?? place(one)
  const sum = (some: ReadonlyArray<FactEntry>) => some.reduce((minutes, one) => minutes + one.duration_minutes, 0)
  const percent = (chosen: (one: FactEntry) => boolean) => sum(entries) === 0 ? 0 : 100 * sum(entries.filter(chosen)) / sum(entries)
  const most = <K>(order: ReadonlyArray<K>, key: (one: FactEntry) => K) => {
    const present = order.filter((k) => entries.some((one) => key(one) === k))
    const best = Math.max(...present.map((k) => sum(entries.filter((one) => key(one) === k))))
    return present.find((k) => sum(entries.filter((one) => key(one) === k)) === best)
  }
  const focus = ["code", "debug", "docs"]
  return {
    average_daily_hours: sum(entries) / 60 / new Set(entries.map((one) => local(one).date)).size,
    peak_productivity_hour: most(Array.from({ length: 24 }, (_, hour) => hour), (one) => local(one).hour),
    most_productive_day: most(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], (one) => local(one).weekday),
    activity_efficiency_score: percent((one) => focus.includes(one.type)),
    focus_time_percentage: percent((one) => focus.includes(one.type) && one.duration_minutes >= 60),
    collaboration_ratio: percent((one) => ["meeting", "mentoring", "review"].includes(one.type)),
    high_value_percentage: percent((one) => one.value_rating === "high"),
    company_impact_ratio: percent((one) => ["product", "company"].includes(one.impact_level)),
    value_impact_score: entries.map((one) => ({ low: 1, medium: 2, high: 3 })[one.value_rating] * ({ personal: 1, team: 2, product: 3, company: 4 })[one.impact_level] / 12 * 100)
      .reduce((a, b) => a + b, 0) / entries.length
  }
}

describe("the nine metrics", () => {
  it("are those of a day worked out by hand", () => {
    assert.deepStrictEqual({
      ...metrics([
        entry(1, { duration_minutes: 120, value_rating: "high", impact_level: "company" }),
        entry(2, { type: "docs", duration_minutes: 30, start: "2025-07-01T11:00:00Z", value_rating: "low", impact_level: "personal" }),
        entry(3, { type: "review", duration_minutes: 90, start: "2025-07-02T13:00:00Z", value_rating: "medium", impact_level: "product" })
      ])
    }, {
      average_daily_hours: 2, peak_productivity_hour: 9, most_productive_day: "Tuesday", activity_efficiency_score: 62.5, focus_time_percentage: 50,
      collaboration_ratio: 37.5, high_value_percentage: 50, company_impact_ratio: 87.5, value_impact_score: (12 + 1 + 6) / 36 * 100
    })
  })

  it("count focus from sixty minutes on", () => {
    assert.strictEqual(metrics([entry(1, { duration_minutes: 60 }), entry(2, { duration_minutes: 59 }), entry(3, { duration_minutes: 1 })])?.focus_time_percentage, 50)
  })

  it("are none without entries, and zero without minutes", () => {
    assert.isNull(metrics([]))
    assert.strictEqual(metrics([entry(1, { duration_minutes: 0 })])?.high_value_percentage, 0)
  })

  it("agree with a naive reading of their definitions", () => {
    fc.assert(fc.property(arbitraryEntries({ text: fc.constant("x") }), zones, (entries, zone) => {
      const found = metrics(entries, zone)
      if (entries.length === 0 || found === null) return assert.isNull(found)
      const expected = naive(entries, zone)
      for (const [name, value] of Object.entries(found)) {
        const wanted = Object.entries(expected).find(([key]) => key === name)?.[1]
        if (typeof value === "number" && typeof wanted === "number") assert.closeTo(value, wanted, 1e-9, name)
        else assert.strictEqual(value, wanted, name)
      }
    }), { numRuns: 200 })
  })
})
