import { assert, describe, it } from "@effect/vitest"
import { MetricReaders } from "@englog/platform/telemetry/MetricReaders"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"

/** A process of its own for each test. */
const own = Layer.fresh(Layer.sync(MetricReaders, () => MetricReaders.defaultValue()))

describe("metric readers", () => {
  it.effect("are called once for all who look within a second", () =>
    Effect.gen(function*() {
      const { refresh, register } = yield* MetricReaders
      let calls = 0
      yield* register(Effect.sync(() => void calls++))
      yield* Effect.all([refresh, refresh, refresh], { concurrency: "unbounded" })
      assert.strictEqual(calls, 1)
      yield* TestClock.adjust("1 second")
      yield* refresh
      assert.strictEqual(calls, 2)
    }).pipe(Effect.scoped, Effect.provide(own)))

  it.effect("that hang or break, even where they cannot be interrupted, keep no other from being read", () =>
    Effect.gen(function*() {
      const { refresh, register } = yield* MetricReaders
      let read = false
      yield* register(Effect.uninterruptible(Effect.never))
      yield* register(Effect.die("broken"))
      yield* register(Effect.sync(() => {
        read = true
      }))
      const refreshing = yield* Effect.forkChild(refresh)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(refreshing)
      assert.isTrue(read)
    }).pipe(Effect.scoped, Effect.provide(own)))
})
