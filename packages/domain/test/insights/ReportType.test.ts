import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { defaultPeriod, fittingType, ReportType } from "../../src/insights/ReportType.ts"
import { addDays, countDays } from "../../src/users/LocalDays.ts"

const day = fc.integer({ min: 0, max: 60_000 }).map((days) => addDays("1970-01-01", days))

describe("the period of a report that names none", () => {
  it("is today for a day, and the last complete one for any other type", () => {
    const on = (today: string) => ReportType.literals.map((type) => Object.values(defaultPeriod(type, today)).join(" "))
    assert.deepStrictEqual(on("2026-01-01"), [
      "2026-01-01 2026-01-01", "2025-12-22 2025-12-28", "2025-12-15 2025-12-28", "2025-12-01 2025-12-31", "2025-10-01 2025-12-31", "2025-01-01 2025-12-31"
    ])
    assert.deepStrictEqual(on("2024-05-13"), [
      "2024-05-13 2024-05-13", "2024-05-06 2024-05-12", "2024-04-29 2024-05-12", "2024-04-01 2024-04-30", "2024-01-01 2024-03-31", "2023-01-01 2023-12-31"
    ])
  })

  it("has the length of its type, is over (but for a day), and the next one follows it without a gap", () => {
    const bounds = { daily: [1, 1], weekly: [7, 7], sprint: [14, 14], monthly: [28, 31], quarterly: [90, 92], annual: [365, 366] } as const
    fc.assert(fc.property(day, fc.constantFrom(...ReportType.literals), (today, type) => {
      const { end_date, start_date } = defaultPeriod(type, today)
      const [least, most] = bounds[type]
      const length = countDays(start_date, end_date)
      assert.isTrue(length >= least && length <= most)
      assert.strictEqual(fittingType(length), type)
      assert.isTrue(type === "daily" ? end_date === today : end_date < today)
      assert.isTrue(countDays(end_date, today) <= most + 1, "it is the last one")
      assert.strictEqual(defaultPeriod(type, end_date).end_date < end_date, type !== "daily")
    }))
  })
})
