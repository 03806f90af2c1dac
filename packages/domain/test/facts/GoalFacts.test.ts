import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { computeFacts } from "../../src/facts/ComputeFacts.ts"
import type { FactEntry } from "../../src/facts/Fact.ts"
import { goalOfFact, goalTitle, type GoalWork } from "../../src/facts/GoalFacts.ts"
import { GoalId } from "../../src/Ids.ts"
import { arbitraryEntries, entry, zones } from "./fixtures.ts"

const goal = (parts: Partial<GoalWork> = {}): GoalWork => ({
  id: GoalId.make("e2b0c7d4-7f9b-4f39-8d0e-5a4b1c6f9a77"),
  title: "Learn",
  measure: "hours",
  target: 10,
  start_date: "2025-06-01",
  end_date: "2025-06-30",
  entries: [],
  ...parts
})

const june = { start: "2025-06-09", end: "2025-06-15" }
const factsOf = (goals: ReadonlyArray<GoalWork>, entries: ReadonlyArray<FactEntry> = [entry(50, { start: "2025-06-10T09:00:00Z" })], timezone = "UTC") =>
  new Map(computeFacts({ entries, preceding: [], goals, timezone, period: june }).facts.filter(({ id }) => id.startsWith("goal.")).map((fact) => [fact.id.split(".")[2] ?? "", fact]))

describe("the facts of a goal", () => {
  it("say how far it was when the period ended, what was done within it, and the pace its target asks for", () => {
    const [before, within] = [entry(1, { start: "2025-06-02T09:00:00Z", duration_minutes: 90 }), entry(2, { start: "2025-06-11T09:00:00Z", duration_minutes: 45 })]
    const facts = factsOf([goal({ entries: [before, within] })])
    assert.deepStrictEqual([...facts].map(([name, { text }]) => `${name} ${text}`), [
      "target 10 h", "within 45 min", "reached 2 h 15 min", "remaining 7 h 45 min", "expected 5 h", "percent 22.5 %"
    ])
    assert.deepStrictEqual(facts.get("within")?.entry_ids, [within.id])
    assert.deepStrictEqual(facts.get("reached")?.entry_ids, [before.id, within.id])
    assert.strictEqual(goalTitle(facts.get("target") ?? assert.fail("no target")), "Learn")
  })

  it("are numbers of entries where it is measured so", () => {
    const facts = factsOf([goal({ measure: "entries", target: 2.5, entries: [entry(1, { start: "2025-06-11T09:00:00Z" })] })])
    assert.deepStrictEqual([...facts].map(([name, { text }]) => `${name} ${text}`), ["target 2.5", "within 1", "reached 1", "remaining 1.5", "expected 1.25", "percent 40 %"])
  })

  it("belong to the local day of the user", () => {
    const late = entry(1, { start: "2025-06-08T22:30:00Z" })
    assert.strictEqual(factsOf([goal({ entries: [late] })]).get("within")?.value, 0)
    assert.strictEqual(factsOf([goal({ entries: [late] })], undefined, "Europe/Berlin").get("within")?.value, 60)
  })

  it("are one goal's for each id, and add up, whatever its entries", () => {
    const goals = fc.record({
      measure: fc.constantFrom("hours" as const, "entries" as const),
      target: fc.integer({ min: 1, max: 10_000_000 }).map((cents) => cents / 100),
      title: fc.string(),
      entries: arbitraryEntries({ maxLength: 8 })
    })
    fc.assert(fc.property(goals, zones, (parts, zone) => {
      const facts = factsOf([goal({ ...parts, start_date: "2025-02-01", end_date: "2025-06-30" }), goal({ title: "another of the same id's beginning" })], undefined, zone)
      const value = (name: string) => facts.get(name)?.value ?? Number.NaN
      assert.strictEqual(facts.size, 6)
      assert.isAtMost(value("within"), value("reached"))
      assert.isTrue(value("remaining") === 0 ? value("reached") >= value("target") : Math.abs(value("reached") + value("remaining") - value("target")) <= 1)
      assert.isAtMost(value("expected"), value("target"))
      assert.strictEqual(value("percent") >= 100, value("remaining") === 0)
      assert.strictEqual(goalTitle(facts.get("target") ?? assert.fail("no target")), parts.title)
      for (const { id } of facts.values()) assert.strictEqual(goalOfFact(id), "e2b0c7d4")
    }), { numRuns: 80 })
  })
})
