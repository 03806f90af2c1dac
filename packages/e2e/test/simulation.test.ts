/**
 * Seeded schedules of faults against the real logic of both sides, on simulated time (README.md, Simulation). A failure names its
 * seed; `SIMULATION_SEED=<seed> SIMULATIONS=1` repeats it.
 */
import { describe, expect, it } from "@effect/vitest"
import { simulate } from "@englog/e2e/simulation/Simulation"
import { Effect } from "effect"

const count = Number(process.env["SIMULATIONS"] ?? 2_500)
const first = Number(process.env["SIMULATION_SEED"] ?? 1)

describe("a simulated cluster", () => {
  it.live(`keeps its promises in ${count} schedules of faults`, () =>
    Effect.gen(function*() {
      const returns = new Map<string, number>()
      const orders = new Set<string>()
      for (let seed = first; seed < first + count; seed++) {
        const verdict = yield* simulate(seed)
        if (verdict.violations.length > 0) {
          expect(verdict.violations, `SIMULATION_SEED=${seed} SIMULATIONS=1 repeats it; schedule: ${JSON.stringify(verdict.schedule)}`).toEqual([])
        }
        orders.add(verdict.order)
        for (const [event, times] of Object.entries(verdict.returns)) returns.set(event, (returns.get(event) ?? 0) + times)
      }
      if (count < 100) return
      // A storm that nobody feels proves nothing, nor does the same course a thousand times.
      expect([...returns.keys()].sort()).toEqual(["handed_back", "rescued", "retrying"])
      expect(orders.size).toBeGreaterThan(count / 10)
    }), 900_000)
})
