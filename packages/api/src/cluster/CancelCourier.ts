/**
 * Carries requested cancellations to the workers that run the tasks; only protocol 2 workers understand them.
 */
import { Effect, Layer, Queue } from "effect"
import { warnUnlessOutage } from "../db/Outage.ts"
import { LeaseRepo } from "../queue/LeaseRepo.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { WorkerSessions } from "./WorkerSessions.ts"

const POLL = "2 seconds"

/** Runs as long as the layer lives. */
export const CancelCourierLive = Layer.effectDiscard(Effect.gen(function*() {
  const leases = yield* LeaseRepo
  const sessions = yield* WorkerSessions
  const wake = yield* (yield* Wakeups).subscribe("cancel")

  const round = Effect.gen(function*() {
    const open = (yield* sessions.all).filter((session) => session.row.protocol === 2)
    if (open.length === 0) return
    for (const task of yield* leases.cancelRequestedIn(open.map((session) => session.row.id))) {
      const session = sessions.find(task.session_id)
      if (session === undefined) continue
      yield* Queue.offer(session.mailbox, {
        _tag: "CancelTask",
        task_id: task.task_id,
        attempt: task.attempt,
        reason: task.reason
      })
    }
  }).pipe(Effect.withTracerEnabled(false))

  yield* round.pipe(
    Effect.catchCause((cause) => warnUnlessOutage("could not deliver cancellations; trying again", cause)),
    Effect.andThen(Queue.take(wake).pipe(Effect.timeoutOption(POLL))),
    Effect.forever,
    Effect.forkScoped
  )
}))
