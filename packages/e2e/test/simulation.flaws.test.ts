/** Whether simulations can be relied on: the same seed takes the same course, and tables that lie are found out. */
import { describe, expect, it } from "@effect/vitest"
import type { Flaw } from "@englog/e2e/simulation/Database"
import { simulate } from "@englog/e2e/simulation/Simulation"
import { Effect } from "effect"

/** The first schedule in which a flaw shows. */
const findFlaw = Effect.fnUntraced(function*(flaw: Flaw, upTo: number) {
  for (let seed = 1; seed <= upTo; seed++) {
    const { violations } = yield* simulate(seed, flaw)
    if (violations.length > 0) return violations.join("\n")
  }
  return "nothing was found"
})

describe("a simulated cluster", () => {
  it.live("takes the same course again from the same seed", () =>
    Effect.gen(function*() {
      for (const seed of [4, 5]) {
        const [once, again] = [yield* simulate(seed), yield* simulate(seed)]
        expect({ ...again }).toEqual({ ...once })
        expect(once.attempts).toBeGreaterThan(0)
      }
    }), 60_000)

  it.live("is found out when a completion counts for whichever attempt runs", () =>
    Effect.map(findFlaw("fence", 400), (found) => expect(found).toMatch(/ended with the result/)), 300_000)

  it.live("is found out when a task is claimed while it runs", () =>
    Effect.map(findFlaw("claim", 20), (found) => expect(found).toMatch(/were held at the same time/)), 300_000)

  it.live("is found out when a cancelled task completes", () =>
    Effect.map(findFlaw("cancel", 400), (found) => expect(found).toMatch(/cancelling it was answered "requested", and it is completed/)), 300_000)
})
