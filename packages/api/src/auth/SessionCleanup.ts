/**
 * Removes sessions that nobody can use any more, once a day (seed 004, "Automatic Cleanup").
 */
import { Effect, Layer, Schedule } from "effect"
import { SessionRepo } from "./SessionRepo.ts"

export const SessionCleanup = {
  layer: Layer.effectDiscard(Effect.gen(function*() {
    const sessions = yield* SessionRepo
    const cleanup = sessions.removeExpired.pipe(
      Effect.tap((removed) => removed === 0 ? Effect.void : Effect.logInfo("removed expired sessions", { removed })),
      Effect.catchCause((cause) => Effect.logWarning("expired sessions could not be removed; trying again tomorrow", cause)),
      Effect.annotateLogs({ component: "auth", operation: "SessionCleanup" })
    )
    yield* Effect.forkScoped(Effect.repeat(cleanup, Schedule.spaced("24 hours")))
  }))
} as const
