import { assert, layer } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { CAPACITY } from "../../src/security/BoundedCounters.ts"
import { RateLimits } from "../../src/security/RateLimits.ts"

const limit = { name: "bounded", limit: 3, window: Duration.minutes(1) }

layer(RateLimits.layerMemory)("counters in memory", (it) => {
  it.effect("are bounded, and keep who is at the limit there, whatever other keys are invented", () => Effect.gen(function*() {
    const { take } = yield* RateLimits
    const other = { ...limit, name: "another" }
    yield* Effect.repeat(take(limit, "attacker"), { times: 2 })
    yield* take(other, "bystander")
    const invented = (from: number, n: number) => Effect.forEach(Array.from({ length: n }, (_, i) => from + i), (i) => take(limit, `key-${i}`), { discard: true })
    yield* invented(0, CAPACITY - 1)
    assert.strictEqual((yield* take(limit, "key-0")).remaining, 1)
    yield* invented(CAPACITY, 1_000)
    assert.strictEqual((yield* take(limit, "key-1")).remaining, 2)
    assert.isAtLeast((yield* Effect.flip(take(limit, "attacker"))).retry_after, 1)
    assert.strictEqual((yield* take(other, "bystander")).remaining, 1)
  }))

  it.effect("are forgotten when their time is over", () => Effect.gen(function*() {
    const { take } = yield* RateLimits
    const quotas = yield* Effect.forEach([1, 2, 3], () => take(limit, "patient"))
    assert.deepStrictEqual(quotas.map(({ remaining }) => remaining), [2, 1, 0])
    assert.deepStrictEqual(quotas.map(({ reset }) => reset), [20, 40, 60])
    assert.strictEqual((yield* Effect.flip(take(limit, "patient"))).retry_after, 60)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* take(limit, "patient")).remaining, 2)
  }))
})
