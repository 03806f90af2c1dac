/** Clears away the records of tasks whose time is over, once a day. */
import { Effect, Layer, Schedule } from "effect"
import { TaskCleanup } from "./TaskCleanup.ts"

export const DailyCleanup = Layer.effectDiscard(Effect.gen(function*() {
  const cleanup = yield* TaskCleanup
  const sweep = cleanup.sweep({ age: "result_ttl" }).pipe(
    Effect.catchCause((cause) => Effect.logWarning("records of ended tasks could not be removed; trying again tomorrow", cause)),
    Effect.annotateLogs({ component: "queue", operation: "cleanup" })
  )
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("24 hours")))
}))
