import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import type { GoalWork } from "../../src/facts/GoalFacts.ts"
import { checkFigures } from "../../src/figures/FigureCheck.ts"
import { GoalId } from "../../src/Ids.ts"
import { InsightCategory } from "../../src/insights/InsightCategory.ts"
import { NarrationInput } from "../../src/insights/Insight.ts"
import { buildPrompt } from "../../src/insights/Prompt.ts"
import { CATEGORY_HEADINGS } from "../../src/narrator/CategorySections.ts"
import { narrate } from "../../src/narrator/Narrator.ts"
import { arbitraryEntries, entry, zones } from "../facts/fixtures.ts"

const work = [
  entry(1, { title: "Rotate tokens", tags: ["golang"], value_rating: "high", impact_level: "company", start: "2025-07-14T07:00:00Z", duration_minutes: 270 }),
  entry(2, { title: "Daily standup", type: "meeting", value_rating: "low", start: "2025-07-14T12:30:00Z", duration_minutes: 30 })
]
const goalOf = (entries: ReadonlyArray<FactEntry>, parts: Partial<GoalWork> = {}): GoalWork => ({
  id: GoalId.make("e2b0c7d4-7f9b-4f39-8d0e-5a4b1c6f9a77"), title: "Write more code", measure: "hours", target: 40, start_date: "2025-07-01", end_date: "2025-07-31", entries, ...parts
})

const told = (focus_areas: ReadonlyArray<InsightCategory> | undefined, goals: ReadonlyArray<GoalWork> = [], entries: ReadonlyArray<FactEntry> = work, timezone = "UTC") => {
  const sheet = computeFacts({ entries, preceding: [], goals, timezone, period: { start: "2025-07-14", end: "2025-07-20" } })
  const input = new NarrationInput({
    insight_type: "weekly", context: null, sheet, entries: [...entries], entry_count: entries.length, cached: null, ...(focus_areas === undefined ? {} : { focus_areas })
  })
  return { input, checked: checkFigures({ draft: narrate(input), sheet, entries: [...entries, ...goals.flatMap((goal) => goal.entries)], context: null }) }
}

const headings = (content: string) => [...content.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)

describe("a report about focus areas", () => {
  it("has a section for each, in the seed's order, between what mattered and what follows", () => {
    assert.deepStrictEqual(headings(told(InsightCategory.literals).checked.content), [
      "What mattered most", "Time allocation", "Productivity patterns", "Skill development", "Collaboration impact", "Goal progress", "Value distribution", "Impact assessment", "Recommendations"
    ])
    assert.deepStrictEqual(headings(told(["value_distribution"]).checked.content), ["What mattered most", "Value distribution", "Recommendations"])
  })

  it("tells of values, impacts and goals from facts, and cites the entries", () => {
    const { citations, content, removed } = told(["goal_progress", "value_distribution", "impact_assessment"], [goalOf([work[0] ?? assert.fail("no work")])]).checked
    assert.deepStrictEqual(removed, [])
    assert.include(content, "- **Write more code**: 4 h 30 min of 40 h done by the end of the period (11.2 %), of it 4 h 30 min within this period. 35 h 30 min remained; at an even pace 25 h 48 min would have been due, so it is behind.")
    assert.include(content, "By value, the time went into work of high value 90 % (4 h 30 min) and work of low value 10 % (30 min).")
    assert.include(content, "90 % of the time reached the product or the company.")
    assert.isAbove(citations.length, 3)
  })

  it("says of goals what there is to say: none, nothing done, reached", () => {
    assert.include(told(["goal_progress"]).checked.content, "No goal was set for this period.")
    assert.include(told(["goal_progress"], [goalOf([])]).checked.content, "nothing of 40 h done by the end of the period.")
    assert.include(told(["goal_progress"], [goalOf(work, { target: 1, measure: "entries" })]).checked.content, "2 of 1 entry done by the end of the period (200 %), of it 2 within this period. The target is reached.")
  })

  it("keeps a goal whose title states figures without quoting it", () => {
    const { content, removed } = told(["goal_progress"], [goalOf(work, { title: "Read 12 books" })]).checked
    assert.deepStrictEqual(removed, [])
    assert.include(content, "- **A goal**: 5 h of 40 h done")
  })

  it("tells of goals in other reports where there are some", () => {
    assert.include(headings(told(undefined, [goalOf(work)]).checked.content), "Goals")
    assert.notInclude(headings(told(undefined).checked.content), "Goals")
  })

  it("asks a model for the same sections, and gives it the goals", () => {
    const { user } = buildPrompt(told(["time_allocation", "goal_progress"], [goalOf(work)]).input)
    assert.isBelow(user.indexOf("\"## Time allocation\""), user.indexOf("\"## Goal progress\""))
    assert.notInclude(user, CATEGORY_HEADINGS.impact_assessment)
    assert.include(user, "{{goal.e2b0c7d4.percent}} = Share of the target that was reached by the end of the period of the goal “Write more code”: 12.5 %")
  })

  it("is verified whatever the areas, the entries and the goals", () => {
    const goals = fc.array(fc.record({ title: fc.string({ unit: "binary" }), target: fc.integer({ min: 1, max: 1_000 }), measure: fc.constantFrom("hours" as const, "entries" as const) }), { maxLength: 3 })
    fc.assert(fc.property(fc.subarray([...InsightCategory.literals], { minLength: 1 }), arbitraryEntries({ maxLength: 12 }), goals, zones, (areas, entries, parts, zone) => {
      const own = parts.map((part, i) => goalOf(entries.slice(i), { ...part, id: GoalId.make(`0000000${i}-0000-4000-8000-000000000000`) }))
      const { checked } = told(areas, own, entries, zone)
      assert.deepStrictEqual(checked.removed, [], checked.content)
    }), { numRuns: 80 })
  })
})
