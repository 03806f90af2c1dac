import { describe, expect, it } from "vitest"
import { bars, median, type Medians, meets, ratiosOf } from "../comparison/Ratios.ts"

const medians: Medians = {
  enqueue_single: { raw: 12_000, "graphile-worker": 1_400, "pg-boss": 2_400, englog: 24_000 },
  enqueue_rpc: { "englog-rpc": 3_600 },
  enqueue_bulk: { raw: 129_000, "pg-boss": 34_000, englog: 51_000 },
  drain_10: { "raw-freed": 70_000, "graphile-worker-batched": 40_000, englog: 44_000 },
  drain_50: { "graphile-worker-batched": 42_000, englog: 21_000 },
  drain_10_held: { raw: 12_000, "pg-boss-tuned": 1_900, "englog-held": 9_600 },
  drain_50_held: { raw: 37_000, "pg-boss-tuned": 7_600, "graphile-worker": 50_000, "englog-held": 19_000 },
  drain_50_history: { "englog-history": 18_900 },
  pickup_p50_ms: { "raw-notify": 0.5, "graphile-worker": 1.1, "pg-boss-tuned": 1.9, englog: 0.55 },
  steady_p99_ms: { "graphile-worker-batched": 6, englog: 3 },
  cpu_s_per_1000: { "graphile-worker-batched": 2, englog: 1 }
}
const peers = ["graphile-worker", "graphile-worker-batched", "pg-boss", "pg-boss-tuned"]

describe("ratiosOf", () => {
  const ratios = ratiosOf(medians, peers)

  it("sets ours against the best peer, never against the floor", () => {
    expect(ratios.enqueue_single).toBe(10)
    expect(ratios.enqueue_bulk).toBe(1.5)
    expect(ratios.drain_10).toBe(1.1)
  })

  it("sets the submission over RPC against the peers' submission in process", () => {
    expect(ratios.enqueue_rpc).toBe(1.5)
  })

  it("counts a peer that holds its slots and is faster all the same", () => {
    expect(ratios.drain_50).toBe(0.42)
  })

  it("takes the least of what is better when there is less of it", () => {
    expect(ratios.pickup_p50).toBe(0.5)
    expect(ratios.steady_p99).toBe(0.5)
    expect(ratios.cpu).toBe(0.5)
  })

  it("sets held slots against pg-boss and against the raw loop, and history against the empty database", () => {
    expect(ratios.drain_50_held).toBe(2.5)
    expect(ratios.drain_10_held_vs_raw).toBe(0.8)
    expect(ratios.history).toBe(0.9)
  })

  it("has no ratio where one side was not measured", () => {
    expect(ratiosOf({ ...medians, enqueue_single: { englog: 24_000 } }, peers).enqueue_single).toBeNaN()
    expect(ratiosOf({ ...medians, enqueue_bulk: { "pg-boss": 34_000 } }, peers).enqueue_bulk).toBeNaN()
  })
})

describe("meets", () => {
  it("takes a bar as reached at its limit, and an unknown ratio as missed", () => {
    expect(meets(bars.enqueue_bulk, 1.5)).toBe(true)
    expect(meets(bars.enqueue_bulk, 1.49)).toBe(false)
    expect(meets(bars.recovery_s, 8)).toBe(true)
    expect(meets(bars.recovery_s, Number.POSITIVE_INFINITY)).toBe(false)
    expect(meets(bars.cpu, Number.NaN)).toBe(false)
  })
})

describe("median", () => {
  it("is the middle one, or between the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([7])).toBe(7)
    expect(median([])).toBeNaN()
  })
})
