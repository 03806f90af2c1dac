import { assert, describe, it } from "@effect/vitest"
import { MAX_GOALS, type ReviewGoalState } from "../../src/exports/PerformanceReview.ts"
import { reviewOf } from "../../src/exports/ReviewOf.ts"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import type { GoalWork } from "../../src/facts/GoalFacts.ts"
import { GoalId } from "../../src/Ids.ts"
import { entry } from "../facts/fixtures.ts"

const period = { start: "2025-04-01", end: "2025-06-30" }
const goal = (parts: Partial<GoalWork> = {}): GoalWork => ({
  id: GoalId.make("e2b0c7d4-7f9b-4f39-8d0e-5a4b1c6f9a77"), title: "Learn", measure: "hours", target: 10, start_date: "2025-04-01", end_date: "2025-06-30", entries: [], ...parts
})
const hours = (count: number, start = "2025-05-05T09:00:00Z") => entry(count, { start, duration_minutes: count * 60 })

const review = (goals: ReadonlyArray<GoalWork>, generated_at = "2025-07-02T08:00:00Z", entries: ReadonlyArray<FactEntry> = [hours(1)], timezone = "UTC") =>
  reviewOf({
    title: "Review", person: "Ada", generated_at, entries, goals, insight: null, cited: [],
    sheet: computeFacts({ entries, preceding: [], goals, timezone, period })
  })

describe("the goals of a review", () => {
  it("have target, progress and state as the facts say them", () => {
    const worked = goal({ start_date: "2025-01-01", end_date: "2025-12-31", entries: [hours(2, "2025-03-03T09:00:00Z"), hours(1)] })
    assert.deepStrictEqual(review([worked]).goals, [{
      title: "Learn", start_date: "2025-01-01", end_date: "2025-12-31", state: "behind", target: "10 h", reached: "3 h", within: "1 h", percent: "30 %", part: 0.3
    }])
    const counted = review([goal({ measure: "entries", target: 2, entries: [hours(1)] })]).goals[0]
    assert.deepStrictEqual([counted?.target, counted?.reached, counted?.percent], ["2 entries", "1 entry", "50 %"])
  })

  it("fill no more than the whole bar", () => {
    const [done] = review([goal({ target: 1, entries: [hours(4)] })]).goals
    assert.deepStrictEqual([done?.percent, done?.part], ["400 %", 1])
  })

  it("are there without any entry in the period", () => {
    assert.deepStrictEqual(review([goal()], undefined, []).goals.map(({ reached, state }) => [reached, state]), [["0 min", "missed"]])
  })

  it("stand as they stood when the period ended, or as they stand where it has not", () => {
    const stateOf = (parts: Partial<GoalWork>, made: string, timezone = "UTC"): ReviewGoalState | undefined =>
      review([goal(parts)], made, undefined, timezone).goals[0]?.state
    assert.strictEqual(stateOf({ entries: [hours(10)] }, "2025-04-01T08:00:00Z"), "achieved")
    assert.strictEqual(stateOf({ entries: [hours(1)] }, "2025-04-03T08:00:00Z"), "on track")
    assert.strictEqual(stateOf({ entries: [hours(1)] }, "2025-06-30T08:00:00Z"), "behind", "its last day is not over")
    assert.strictEqual(stateOf({ entries: [hours(1)] }, "2025-06-30T23:00:00Z", "Europe/Berlin"), "missed", "it is over in their zone")
    assert.strictEqual(stateOf({ entries: [hours(1)], end_date: "2025-12-31" }, "2026-05-05T08:00:00Z"), "behind", "the year was not over when the quarter was")
    assert.strictEqual(stateOf({ entries: [hours(9)], end_date: "2025-05-31" }, "2025-06-05T08:00:00Z"), "missed")
    assert.strictEqual(stateOf({ start_date: "2025-06-15" }, "2025-06-05T08:00:00Z"), "upcoming")
  })

  it("are those that end last where there are too many", () => {
    const many = Array.from({ length: MAX_GOALS + 2 }, (_, index) => goal({ title: `Goal ${index}`, end_date: index < 2 ? "2025-05-01" : "2025-06-30" }))
    const { goals, goals_left_out } = review(many)
    assert.deepStrictEqual([goals.length, goals_left_out], [MAX_GOALS, 2])
    assert.isFalse(goals.some(({ end_date }) => end_date === "2025-05-01"))
  })
})
