import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import { InsightGeneration } from "../../src/tasks/InsightGeneration.ts"
import { retryDelay, RetryPolicy, TaskPolicy } from "../../src/tasks/TaskPolicy.ts"
import { WeeklyReport } from "../../src/tasks/WeeklyReport.ts"
import { arbitraryRetry, millis, patient } from "./fixtures.ts"

const random = fc.double({ min: 0, max: 1, noNaN: true })
const attempts = fc.integer({ min: 1, max: 500 })

describe("the wait before a retry", () => {
  it("doubles from a minute to an hour by seed 002's default", () => {
    const minutes = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => millis(retryDelay(patient, attempt, 0)) / 60_000)
    assert.deepStrictEqual(minutes, [1, 2, 4, 8, 16, 32, 60, 60])
  })

  it("loses up to a fifth to jitter", () => {
    assert.strictEqual(millis(retryDelay(patient, 1, 1)), 48_000)
    assert.strictEqual(millis(retryDelay(patient, 1, 0.5)), 54_000)
  })

  it("takes an attempt before the first for the first", () => {
    assert.strictEqual(millis(retryDelay(patient, 0, 0)), millis(retryDelay(patient, 1, 0)))
  })

  it("is a whole number of milliseconds between nothing and the longest wait, however many attempts there were", () => {
    fc.assert(fc.property(arbitraryRetry, attempts, random, (policy, attempt, chance) => {
      const delay = millis(retryDelay(policy, attempt, chance))
      assert.isTrue(Number.isInteger(delay))
      assert.isTrue(delay >= 0 && delay <= policy.max_delay)
      assert.isAtLeast(delay, Math.floor(Math.min(policy.base_delay, policy.max_delay) * 0.8))
    }))
  })

  it("never shrinks from one attempt to the next, and never grows with jitter", () => {
    fc.assert(fc.property(arbitraryRetry, attempts, random, random, (policy, attempt, one, other) => {
      assert.isAtMost(millis(retryDelay(policy, attempt, one)), millis(retryDelay(policy, attempt + 1, one)))
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      assert.isAtLeast(millis(retryDelay(policy, attempt, less)), millis(retryDelay(policy, attempt, more)))
    }))
  })
})

describe("a policy", () => {
  it("is stored and read as JSON without change", () => {
    fc.assert(fc.property(arbitraryRetry, (policy) => {
      const json = Schema.fromJsonString(RetryPolicy)
      assert.deepStrictEqual(Schema.decodeSync(json)(Schema.encodeSync(json)(policy)), policy)
    }))
  })

  it.each([{ max_retries: -1 }, { max_retries: 101 }, { backoff_factor: 0.5 }, { backoff_factor: Infinity }, { base_delay: -1 }, { max_delay: 0.5 }])(
    "refuses %j",
    (wrong) => assert.throws(() => Schema.decodeSync(RetryPolicy)({ ...patient, ...wrong }))
  )

  it.each([InsightGeneration, WeeklyReport])("of $kind does not retry a reported failure and runs at priority 5 for 5 minutes", ({ policy }) => {
    assert.strictEqual(policy.retry.max_retries, 0)
    assert.deepStrictEqual([policy.priority, policy.queue], [5, "default"])
    assert.deepStrictEqual([policy.attempt_timeout, policy.deadline], [300_000, 300_000])
    assert.deepStrictEqual(Schema.decodeSync(TaskPolicy)({ ...policy }), policy)
  })
})
