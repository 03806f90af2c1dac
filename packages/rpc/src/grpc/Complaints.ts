/**
 * Warnings about what others do wrong. They decide how often they do it, so that only so many are written; the next one says
 * how many were not.
 */
import { Clock, Effect } from "effect"
import { TokenBucket } from "./TokenBucket.ts"

export type Complain = (message: string, annotations: Readonly<Record<string, unknown>>) => Effect.Effect<void>

/** A hundred lines say no more than twenty. */
const RATE = { capacity: 20, perSecond: 0.5 }

export const make: Effect.Effect<Complain> = Effect.map(Clock.currentTimeMillis, (startedAt) => {
  const budget = new TokenBucket(RATE, startedAt)
  let untold = 0
  return Effect.fnUntraced(function*(message, annotations) {
    if (!budget.take(yield* Clock.currentTimeMillis)) {
      untold += 1
      return
    }
    const more = untold === 0 ? {} : { untold }
    untold = 0
    yield* Effect.logWarning(message).pipe(Effect.annotateLogs({ ...annotations, ...more }))
  })
})
