import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@englog/worker/CircuitBreaker"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

const failing = Effect.fail("down")
const times = <A, E>(count: number, effect: Effect.Effect<A, E>) => Effect.repeat(Effect.exit(effect), { times: count - 1 })

describe("the circuit breaker of the seeds", () => {
  const make = CircuitBreaker.make({ name: "llm", ...CircuitBreaker.seedPolicy })

  it.effect("opens after five failures in a row and then refuses without calling", () =>
    Effect.gen(function*() {
      const breaker = yield* make
      yield* times(4, breaker.run(failing))
      yield* breaker.run(Effect.void)
      yield* times(4, breaker.run(failing))
      assert.strictEqual(yield* breaker.state, "closed")
      yield* times(1, breaker.run(failing))
      assert.strictEqual(yield* breaker.state, "open")
      const refused = yield* Effect.flip(breaker.run(Effect.die("must not be called")))
      assert.strictEqual(refused._tag, "CircuitOpen")
      assert.strictEqual(refused.retry_after, 30_000)
    }))

  it.effect("tries again after 30 s, one call at a time, and closes after three successes", () =>
    Effect.gen(function*() {
      const breaker = yield* make
      yield* times(5, breaker.run(failing))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* breaker.state, "half-open")
      const trial = yield* Effect.forkChild(breaker.run(Effect.never))
      yield* Effect.yieldNow
      assert.strictEqual((yield* Effect.flip(breaker.run(Effect.void)))._tag, "CircuitOpen")
      // An interrupted trial frees its place and counts for nothing.
      yield* Fiber.interrupt(trial)
      yield* times(2, breaker.run(Effect.void))
      assert.strictEqual(yield* breaker.state, "half-open")
      yield* breaker.run(Effect.void)
      assert.strictEqual(yield* breaker.state, "closed")
    }))

  it.effect("opens again when the trial fails", () =>
    Effect.gen(function*() {
      const breaker = yield* make
      yield* times(5, breaker.run(failing))
      yield* TestClock.adjust("30 seconds")
      yield* breaker.run(Effect.void)
      yield* times(1, breaker.run(failing))
      assert.strictEqual(yield* breaker.state, "open")
    }))

  it.effect("does not count errors that say nothing about the other side", () =>
    Effect.gen(function*() {
      const breaker = yield* make
      yield* times(20, breaker.run(failing, () => false))
      assert.strictEqual(yield* breaker.state, "closed")
    }))
})
