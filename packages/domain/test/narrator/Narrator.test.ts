import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { checkFigures } from "../../src/figures/FigureCheck.ts"
import { InsightDraft, NarrationInput } from "../../src/insights/Insight.ts"
import type { InsightContext } from "../../src/insights/Insight.ts"
import { narrate } from "../../src/narrator/Narrator.ts"
import { arbitraryEntries, entry, entryId, zones } from "../facts/fixtures.ts"

const types = [
  "productivity", "skill_development", "time_management", "daily", "weekly", "sprint", "monthly", "quarterly", "annual", "performance_review",
  "time_allocation", "productivity_patterns", "collaboration_impact", "goal_progress", "value_distribution", "impact_assessment"
]

const input = (insight_type: string, entries: ReadonlyArray<FactEntry>, context: InsightContext | null = null, preceding: ReadonlyArray<FactEntry> = [], timezone = "Europe/Berlin") =>
  new NarrationInput({
    insight_type, context, entries: [...entries], entry_count: entries.length, cached: null, sheet: computeFacts({ entries, preceding, timezone })
  })

const told = (one: NarrationInput) => {
  const draft = narrate(one)
  return { draft, checked: checkFigures({ draft, sheet: one.sheet, entries: one.entries, context: one.context }) }
}

const week = [
  entry(1, { title: "Rotate OAuth 2.0 refresh tokens", description: "Stops replay of stolen tokens. More follows.", project_name: "Auth", tags: ["golang"], value_rating: "high", impact_level: "company", start: "2025-07-14T07:00:00Z", duration_minutes: 270 }),
  entry(2, { title: "Daily standup", type: "meeting", value_rating: "low", start: "2025-07-14T12:30:00Z", duration_minutes: 15 }),
  entry(3, { title: "Cut geofencing latency", description: "PostGIS index cut p95 latency by 90%", type: "debug", project_name: "Geo", value_rating: "high", impact_level: "product", start: "2025-07-15T08:00:00Z", duration_minutes: 180 }),
  entry(4, { title: "Pairing with Ana", type: "mentoring", tags: ["leadership"], start: "2025-07-16T08:00:00Z", duration_minutes: 45 }),
  entry(5, { title: "Rotate OAuth 2.0 refresh tokens", project_name: "Auth", tags: ["golang"], value_rating: "high", impact_level: "company", start: "2025-07-17T07:00:00Z", duration_minutes: 50 })
]

describe("the built-in narrator", () => {
  it("leads with the work of highest value and impact, told by its title, outcome and time", () => {
    const { content } = told(input("weekly", week)).checked
    assert.include(content, "- **Rotate OAuth 2.0 refresh tokens** — Stops replay of stolen tokens. Coding, project “Auth”, 5 h 20 min over 2 entries; high value for the whole company.")
    assert.isBelow(content.indexOf("Rotate OAuth"), content.indexOf("geofencing"))
    assert.include(content, "cut p95 latency by 90%")
  })

  it("states no figure of its own and loses nothing in the check, for every type", () => {
    for (const type of types) {
      const { checked, draft } = told(input(type, week, null, [entry(90, { start: "2025-07-08T08:00:00Z" })]))
      assert.deepStrictEqual(checked.removed, [], type)
      assert.deepStrictEqual(checked.tags, draft.tags)
      assert.isAbove(checked.citations.length, 2, type)
      assert.match(draft.content, /\{\{total\.time\}\}/)
      assert.notMatch(draft.content.replace(/\{\{[^}]*\}\}|\[\[[^\]]*\]\]/g, "").replace(/OAuth 2\.0|p95|90%/g, ""), /\d/)
    }
  })

  it("cites entries in every paragraph below the opening", () => {
    const { draft } = told(input("quarterly", week))
    for (const paragraph of draft.content.split("\n\n").filter((text) => !text.startsWith("#"))) assert.match(paragraph, /\[\[/, paragraph)
  })

  it("answers the structured contexts of the API's documentation", () => {
    const skill = told(input("skill_development", week, {
      career_goal: "senior_architect", focus_areas: ["golang", "system_design", "leadership"], current_level: "senior_developer", time_frame: "6_months",
      learning_preferences: { hands_on: true, mentorship: true, certification: false }, skill_assessment: { golang: "advanced", architecture: "intermediate", leadership: "beginner" }
    })).checked
    assert.include(skill.content, "**Golang** (self-assessed: advanced): 5 h 20 min in 2 tagged entries")
    assert.include(skill.content, "The stated goal is senior architect, coming from senior developer.")
    assert.match(skill.content, /\*\*System design\*\*: nothing among the entries/)
    const time = told(input("time_management", week, {
      optimization_goal: "reduce_context_switching", problem_areas: ["too_many_meetings", "fragmented_coding_time"],
      constraints: { meeting_free_hours: ["09:00-11:00", "14:00-16:00"], deep_work_preference: "morning" }, metrics_focus: ["time_in_flow_state", "interruption_frequency"]
    })).checked
    assert.include(time.content, "**Too many meetings:** meetings took 2.7 % of the time")
    assert.include(time.content, "Meetings began inside the meeting-free hours (09:00-11:00 and 14:00-16:00): “Daily standup”.")
    assert.include(time.content, "Deep work is preferred in the morning: 7 h 30 min of focus time began then.")
    assert.deepStrictEqual([...skill.removed, ...time.removed], [])
  })

  it("leaves recommendations out when asked to, and says less or more as asked", () => {
    const content = (preferences: { readonly [key: string]: boolean | string }) => told(input("monthly", week, { preferences })).checked.content
    assert.notInclude(content({ include_recommendations: false }), "## Recommendations")
    assert.include(content({}), "## Recommendations")
    assert.isBelow(content({ detail_level: "low" }).length, content({ detail_level: "high" }).length)
  })

  it("compares with the preceding period only where there is one", () => {
    assert.include(told(input("weekly", week, null, [entry(90, { type: "meeting", duration_minutes: 280 })])).checked.content, "against 4 h 40 min in the preceding period (+100 %)")
    assert.notInclude(told(input("weekly", week)).checked.content, "preceding")
  })

  it("says so when there are no entries, without confidence", () => {
    const { checked, draft } = told(input("productivity", []))
    assert.include(checked.content, "No entries were recorded in this period")
    assert.strictEqual(draft.confidence, 0)
    assert.deepStrictEqual(checked.removed, [])
  })

  it("is surer the more it knows, never certain", () => {
    const many = Array.from({ length: 40 }, (_, i) => entry(i + 1, { description: "Done.", start: `2025-07-${String(1 + i % 20).padStart(2, "0")}T09:00:00Z` }))
    assert.strictEqual(narrate(input("weekly", many)).confidence, 0.95)
    assert.isBelow(narrate(input("weekly", many.slice(0, 1))).confidence, 0.6)
  })

  it("reads a type it does not know by its words, and never puts a figure into the title", () => {
    assert.match(narrate(input("mentoring_growth", week)).content, /^# Mentoring growth insight/)
    assert.match(narrate(input("top 10 of 2025", week)).content, /^# Work insight/)
    assert.match(narrate(input("Weekly Report", week)).content, /^# Weekly report/)
  })

  it("is total and verified whatever the entries, the context and the type", () => {
    const words = fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), fc.constantFrom("too_many_meetings", "twenty_one", "12_345", "golang", "deep work", "2 hundred", "half"))
    const contexts = fc.option(fc.oneof(
      words,
      fc.record({ focus_areas: fc.array(words), problem_areas: fc.array(words), career_goal: words, purpose: words, skill_assessment: fc.dictionary(words, words), meeting_free_hours: fc.constant(["08:00-20:00"]), detail_level: fc.constantFrom("high", "low", "x") }, { requiredKeys: [] }),
      fc.dictionary(fc.string(), fc.jsonValue().map((value) => Schema.decodeUnknownSync(Schema.Json)(value)))
    ))
    const repeated = arbitraryEntries({ text: fc.constantFrom("", "golang", "Ship OAuth 2.0", "Cut p95 by 90%", "twenty-one golang", "half of it") })
    fc.assert(fc.property(fc.oneof(fc.constantFrom(...types), words), fc.oneof(arbitraryEntries(), repeated), arbitraryEntries({ maxLength: 4 }), contexts, zones, (type, entries, before, context, zone) => {
      const preceding = before.map((one, i) => entry(900 + i, { ...one, start: "2025-01-05T10:00:00Z" }))
      const { checked, draft } = told(input(type, entries, context, preceding, zone))
      assert.deepStrictEqual(checked.removed, [], draft.content)
      assert.deepStrictEqual(checked.tags, draft.tags)
      assert.isTrue(Schema.is(InsightDraft)(draft))
      if (entries.length > 0) assert.isAbove(checked.citations.length, 0)
    }), { numRuns: 200 })
  })

  it("cites the entry of every title it names, where other titles repeat", () => {
    const entries = [1, 2, 3, 4].map((n) =>
      entry(n, { title: n === 4 ? "Ship OAuth 2.0" : "", type: "learning", value_rating: "low", impact_level: "personal", start: "2025-02-20T00:00:00Z", duration_minutes: 0 }))
    const { content, removed } = told(input("productivity", entries, { skill_assessment: { "": "" } }, [], "UTC")).checked
    assert.deepStrictEqual(removed, [])
    assert.include(content, "0 min (0 %) went into learning: “An entry of type learning” and “Ship OAuth 2.0”.")
  })

  it("cites the entry of every title in a list of meetings, of practice and of examples, where other titles repeat", () => {
    const context = { preferences: { detail_level: "high" }, meeting_free_hours: ["06:00-20:00"], focus_areas: ["golang", "oauth"] }
    for (const type of ["meeting", "mentoring", "review"] as const) {
      const entries = [1, 2, 3, 4, 5, 6].map((n) => entry(n, { title: n === 6 ? "Golang OAuth 2.0" : "Daily standup", tags: ["golang"], type, value_rating: "low" }))
      for (const about of types) {
        const { checked, draft } = told(input(about, entries, context))
        assert.deepStrictEqual(checked.removed, [], draft.content)
      }
    }
  })

  it("cites the entry whose outcome it tells, however many sittings the work took", () => {
    const entries = [1, 2, 3, 4, 5].map((n) => entry(n, { title: "Tune the index", description: n === 5 ? "Cut p95 latency by 90%" : null, value_rating: "high", impact_level: "product" }))
    const { content, removed } = told(input("weekly", entries)).checked
    assert.deepStrictEqual(removed, [])
    assert.include(content, "Cut p95 latency by 90%")
  })

  it("tells only of entries it was shown, though facts stand on all", () => {
    const all = input("weekly", week)
    const shown = new NarrationInput({ ...all, entries: week.slice(1, 3) })
    const draft = narrate(shown)
    assert.notInclude(draft.content, entryId(1))
    assert.deepStrictEqual(checkFigures({ draft, sheet: all.sheet, entries: week, context: null }).removed, [])
  })
})
