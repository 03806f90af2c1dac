import { assert, describe, it } from "@effect/vitest"
import { serverFaults, workerFaults } from "../Fault.ts"
import * as FaultSchedule from "../FaultSchedule.ts"
import { objections, summary, type Run } from "../Verdict.ts"
import { sound } from "./evidence.ts"

const sizes = { workers: 4, apis: 2 }
const TWO_MINUTES = 120_000

describe("the schedule of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    const hashOf = (seed: number) => FaultSchedule.hash(FaultSchedule.make(seed, TWO_MINUTES, sizes))
    assert.strictEqual(hashOf(7), hashOf(7))
    assert.notStrictEqual(hashOf(7), hashOf(8))
  })

  it("has every kind within ten minutes, ends in time and keeps to the cluster, whatever the seed", () => {
    for (let seed = 0; seed < 40; seed++) {
      const faults = FaultSchedule.make(seed, 5 * TWO_MINUTES, sizes)
      assert.sameMembers([...new Set(faults.map(({ kind }) => kind))], [...workerFaults, ...serverFaults])
      const wrong = faults.filter(({ at, kind, lasts, target }) =>
        at + lasts > 5 * TWO_MINUTES || target >= (workerFaults.some((one) => one === kind) ? sizes.workers : sizes.apis))
      assert.deepStrictEqual(wrong, [])
    }
  })

  it("has at least ten kinds in two minutes", () => {
    for (let seed = 0; seed < 200; seed++) {
      assert.isAtLeast(new Set(FaultSchedule.make(seed, TWO_MINUTES, sizes).map(({ kind }) => kind)).size, 10)
    }
  })
})

describe("the verdict", () => {
  const faults = { kill_worker: 1, kill_api: 1, freeze_api: 1, stop_api: 1, redis_loss: 1, worker_clock: 1 }
  const acknowledged = Array.from({ length: 2_000 }, () => ({ task: "plain", after: [], unique_key: null }))
  const run: Run = { seed: 1, schedule: "", minutes: 3, faults, violations: [], evidence: { ...sound, acknowledged } }

  it("passes a run without violations in which enough took part", () => assert.deepStrictEqual(objections(run), []))

  it("does not pass a violation, too few tasks, or too few kinds of faults", () => {
    assert.lengthOf(objections({ ...run, violations: [{ rule: "ended_in_time", task: "plain", what: "it has not ended" }] }), 1)
    assert.lengthOf(objections({ ...run, evidence: sound }), 1)
    assert.lengthOf(objections({ ...run, faults: { ...faults, worker_clock: 0 } }), 1)
  })

  it("counts rescues from the histories", () => assert.strictEqual(summary(run).rescues, 1))
})
