/**
 * Seeded schedules of faults against the real logic of both sides, on simulated time (README.md, Simulation). A failure names its
 * seed; `SIMULATION_SEED=<seed> SIMULATIONS=1` repeats it.
 */
import { describe, expect, it } from "@effect/vitest"
import type { Flaw } from "@englog/e2e/simulation/Database"
import { simulate } from "@englog/e2e/simulation/Simulation"
import { Effect } from "effect"

const count = Number(process.env["SIMULATIONS"] ?? 100)
const first = Number(process.env["SIMULATION_SEED"] ?? 1)

/** The first schedule in which a flaw shows. */
const findFlaw = Effect.fnUntraced(function*(flaw: Flaw, upTo: number) {
  for (let seed = 1; seed <= upTo; seed++) {
    const { violations } = yield* simulate(seed, flaw)
    if (violations.length > 0) return violations.join("\n")
  }
  return "nothing was found"
})

describe("a simulated cluster", () => {
  it.live(`keeps its promises in ${count} schedules of faults`, () =>
    Effect.gen(function*() {
      const returns = new Map<string, number>()
      for (let seed = first; seed < first + count; seed++) {
        const verdict = yield* simulate(seed)
        expect(verdict.violations, `SIMULATION_SEED=${seed} SIMULATIONS=1 repeats it; schedule: ${JSON.stringify(verdict.schedule)}`).toEqual([])
        for (const [event, times] of Object.entries(verdict.returns)) returns.set(event, (returns.get(event) ?? 0) + times)
      }
      // A storm that nobody feels proves nothing.
      if (count >= 100) expect([...returns.keys()].sort()).toEqual(["handed_back", "rescued", "retrying"])
    }), 900_000)

  it.live("takes the same course again from the same seed", () =>
    Effect.gen(function*() {
      const [once, again] = [yield* simulate(4), yield* simulate(4)]
      expect({ ...again }).toEqual({ ...once })
      expect(once.attempts).toBeGreaterThan(0)
    }), 60_000)

  it.live("is found out when a completion counts for whichever attempt runs", () =>
    Effect.map(findFlaw("fence", 200), (found) => expect(found).toMatch(/ended with the result/)), 900_000)

  it.live("is found out when a task is claimed while it runs", () =>
    Effect.map(findFlaw("claim", 20), (found) => expect(found).toMatch(/were held at the same time/)), 300_000)

  it.live("is found out when a cancelled task completes", () =>
    Effect.map(findFlaw("cancel", 200), (found) => expect(found).toMatch(/cancelling it was answered "requested", and it is completed/)), 900_000)
})
