import { Fact, FactId } from "@englog/domain/facts/Fact"
import { assert, describe, it } from "vitest"
import { citedFacts } from "../../demo/CitedFacts.ts"
import { progressBar } from "../../demo/ProgressBar.ts"

const fact = (id: string, label: string, text: string) => new Fact({ id: FactId.make(id), label, value: 1, unit: "count", text, entry_ids: [] })

describe("The facts of an insight", () => {
  it("are those whose figures stand in it as a whole", () => {
    const facts = [fact("a", "Time recorded", "3 h"), fact("b", "Time in code", "3 h 20 min"), fact("c", "Share", "3 %"), fact("d", "Entries", "13")]
    const ids = (content: string) => citedFacts(content, facts).map(({ id }) => id)
    assert.deepStrictEqual(ids("Coding took 3 h 20 min."), ["b"])
    assert.deepStrictEqual(ids("All took 3 h, and 13.3 % of 113 h."), ["a"])
    assert.deepStrictEqual(ids("3 h of 3 h 20 min, 3 % in 13 entries"), ["a", "b", "c", "d"])
  })

  it("are told apart by their labels where their figures are the same", () => {
    const facts = [fact("meeting", "Entries in meeting", "4"), fact("code", "Entries in code", "4"), fact("ops", "Entries in ops", "4")]
    assert.deepStrictEqual(citedFacts("Coding filled 4 entries.", facts).map(({ id }) => id), ["code"])
    assert.lengthOf(citedFacts("4 entries in code and 4 in operations (ops).", facts), 2)
  })
})

describe("The progress bar", () => {
  it("fills with the percentage and stays within its bounds", () => {
    assert.strictEqual(progressBar(50, "half"), `  [${"█".repeat(15)}${"░".repeat(15)}]  50 %  half`)
    assert.strictEqual(progressBar(130, ""), `  [${"█".repeat(30)}] 100 %`)
    assert.strictEqual(progressBar(-1, ""), `  [${"░".repeat(30)}]   0 %`)
  })
})
