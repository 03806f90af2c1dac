/** A task's steps as server-sent events. */
import type { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Schedule, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import type { StreamCut } from "../http/OpenStreams.ts"

/** Silence after which a stream says that it is still there, so that proxies do not cut it. */
const PING_INTERVAL = "15 seconds"

/** Of the steps after number `after`. Where some of them are not kept any more, a `reset` says so before the first that is. */
export const toSse = (steps: Stream.Stream<TaskStep, SqlError | StreamCut>, after: number) =>
  steps.pipe(
    Stream.mapAccum(() => after, (before, step) => [step.seq, step.seq > before + 1 ? [reset(before, step.seq), message(step)] : [message(step)]]),
    Stream.catchTag("StreamCut", ({ message, reason }) => Stream.succeed({ id: undefined, event: reason, data: { message } })),
    // A client that loses the stream resumes after the last step it got; the database is then back, or answers 503.
    Stream.catchCause((cause) => Stream.fromEffectDrain(warnUnlessOutage("a task stream was cut short", cause))),
    Stream.merge(pings, { haltStrategy: "left" })
  )

const message = (step: TaskStep) => ({ id: String(step.seq), event: step.type, data: step })

const reset = (before: number, next: number) => ({
  id: undefined,
  event: "reset",
  data: { message: `the steps after ${before} and before ${next} are not kept any more` }
})

const pings = Stream.fromEffectSchedule(Effect.succeed({ id: undefined, event: "ping", data: {} }), Schedule.spaced(PING_INTERVAL)).pipe(
  Stream.drop(1)
)
