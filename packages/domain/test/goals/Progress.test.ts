import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { percentOf, progressOf, valueOf } from "../../src/goals/Progress.ts"

const goal = { measure: "hours", target: 10, start_date: "2026-03-02", end_date: "2026-03-11" } as const

describe("the progress of a goal", () => {
  it("is measured in hours of two decimals, or in entries", () => {
    assert.strictEqual(valueOf("hours", { entries: 3, minutes: 100 }), 1.67)
    assert.strictEqual(valueOf("entries", { entries: 3, minutes: 100 }), 3)
  })

  it("is a hundred per cent once the target is reached, and never before", () => {
    assert.strictEqual(percentOf(9.99, 10), 99.9)
    assert.strictEqual(percentOf(999.99, 1000), 99.9)
    assert.strictEqual(percentOf(10, 10), 100)
    fc.assert(fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 2_000_000 }), (target, value) => {
      assert.strictEqual(percentOf(value / 100, target / 100) >= 100, value >= target)
    }))
  })

  it("is on track where at least the share of the days that have begun is done", () => {
    const on = (today: string, minutes: number) => {
      const { expected, on_track, remaining, status } = progressOf(goal, { entries: 1, minutes }, today)
      return [expected, on_track, remaining, status]
    }
    assert.deepStrictEqual(on("2026-03-01", 0), [0, true, 10, "upcoming"])
    assert.deepStrictEqual(on("2026-03-02", 59), [1, false, 9.02, "active"])
    assert.deepStrictEqual(on("2026-03-02", 60), [1, true, 9, "active"])
    assert.deepStrictEqual(on("2026-03-11", 599), [10, false, 0.02, "active"])
    assert.deepStrictEqual(on("2026-03-12", 599), [10, false, 0.02, "missed"])
    assert.deepStrictEqual(on("2026-03-12", 700), [10, true, 0, "achieved"])
    assert.deepStrictEqual(on("2026-03-03", 700), [2, true, 0, "achieved"])
  })
})
