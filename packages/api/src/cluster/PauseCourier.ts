/** Carries what operators decided about workers to the sessions whose streams end in this process. */
import { Effect, Layer, Queue } from "effect"
import { warnUnlessOutage } from "../db/Outage.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { PausedWorkerRepo } from "./PausedWorkerRepo.ts"
import { OPERATOR_PAUSE, WorkerSessions } from "./WorkerSessions.ts"

const POLL = "2 seconds"

/** Runs as long as the layer lives. */
export const PauseCourierLive = Layer.effectDiscard(Effect.gen(function*() {
  const paused = yield* PausedWorkerRepo
  const sessions = yield* WorkerSessions
  const wake = yield* (yield* Wakeups).subscribe("workers")

  const round = Effect.gen(function*() {
    // Noted before the answer: a session that opens meanwhile was opened with what its row said.
    const open = yield* sessions.all
    if (open.length === 0) return
    const ids = yield* paused.all
    for (const session of open) {
      const wanted = ids.has(session.row.worker_id)
      if (session.paused === wanted || sessions.find(session.row.id) !== session) continue
      yield* wanted ? sessions.pause(session.row.id, OPERATOR_PAUSE) : sessions.resume(session.row.id)
    }
  }).pipe(Effect.withTracerEnabled(false))

  yield* round.pipe(
    Effect.catchCause((cause) => warnUnlessOutage("could not tell workers to pause or go on; trying again", cause)),
    Effect.andThen(Queue.take(wake).pipe(Effect.timeoutOption(POLL))),
    Effect.forever,
    Effect.forkScoped
  )
}))
