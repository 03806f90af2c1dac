/**
 * Notes when PostgreSQL stops answering and when it answers again, and says each of them once: during an outage every
 * request, heartbeat and loop meets the same error.
 */
import { Clock, Effect, Ref } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "./Outage.ts"

export interface OutageWatch {
  readonly failed: (error: SqlError) => Effect.Effect<void>
  /** The effect, and what its end tells about the database. */
  readonly observe: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
}

/** Milliseconds since the epoch. */
interface Absence {
  readonly since: number
  readonly lastFailure: number
}

/** So long nothing may fail before an outage counts as over: connections die one after the other. */
const QUIET_MS = 1_000

/** Reading goes on meanwhile, so that no success tells that there is space again: it is said anew after this long. */
const FULL_AGAIN_MS = 60_000

export const make = Effect.gen(function*() {
  const absence = yield* Ref.make<Absence | undefined>(undefined)
  /** When it was last said that nothing can be written. */
  const full = yield* Ref.make(0)
  const log = Effect.annotateLogs({ component: "database", operation: "outage" })

  const failed: OutageWatch["failed"] = Effect.fnUntraced(function*(error) {
    const outage = outageOf(error)
    if (outage === undefined || outage === "contended") return
    const now = yield* Clock.currentTimeMillis
    if (outage === "full") {
      const last = yield* Ref.getAndUpdate(full, (last) => now - last < FULL_AGAIN_MS ? last : now)
      return yield* now - last < FULL_AGAIN_MS
        ? Effect.void
        : Effect.logError(`PostgreSQL takes no writes; free space on its disk: ${reasonOf(error)}`).pipe(log)
    }
    const before = yield* Ref.getAndUpdate(absence, (known) => ({ since: known?.since ?? now, lastFailure: now }))
    if (before === undefined) {
      yield* Effect.logWarning(`PostgreSQL does not answer; requests get 503 until it does: ${reasonOf(error)}`).pipe(log)
    }
  })

  const answered = Effect.gen(function*() {
    const known = yield* Ref.get(absence)
    const now = yield* Clock.currentTimeMillis
    if (known === undefined || now - known.lastFailure < QUIET_MS) return
    yield* Ref.set(absence, undefined)
    yield* Effect.logInfo(`PostgreSQL answers again after ${((now - known.since) / 1_000).toFixed(1)} s`).pipe(log)
  })

  const watch: OutageWatch = {
    failed,
    observe: (effect) =>
      Effect.flatMap(Ref.get(absence), (known) => {
        const observed = Effect.tapError(effect, failed)
        return known === undefined ? observed : Effect.tap(observed, () => answered)
      })
  }
  return watch
})

/** For whoever tells it otherwise, or nobody. */
export const silent: OutageWatch = { failed: () => Effect.void, observe: (effect) => effect }

/** PostgreSQL's or the network's own sentence, which stands at the end of the chain of causes. */
const reasonOf = (error: Error): string => error.cause instanceof Error ? reasonOf(error.cause) : error.message
