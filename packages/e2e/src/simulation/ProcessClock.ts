/**
 * The clock of one process on simulated time: whole milliseconds, as processes know them, off by a constant, and standing still
 * while the process does.
 */
import { Clock, Duration, Effect, type Latch } from "effect"

export class ProcessClock implements Clock.Clock {
  readonly #world: Clock.Clock
  readonly #ahead: number
  readonly #runs: Latch.Latch
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  /** `ahead`: milliseconds. */
  constructor(world: Clock.Clock, ahead: number, runs: Latch.Latch) {
    this.#world = world
    this.#ahead = ahead
    this.#runs = runs
  }

  currentTimeMillisUnsafe(): number {
    return this.#world.currentTimeMillisUnsafe() + this.#ahead
  }

  currentTimeNanosUnsafe(): bigint {
    return this.#world.currentTimeNanosUnsafe() + BigInt(this.#ahead) * 1_000_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.#world.monotonicTimeNanosUnsafe()
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.andThen(this.#world.sleep(Duration.millis(Math.ceil(Duration.toMillis(duration)))), this.#runs.await)
  }
}
