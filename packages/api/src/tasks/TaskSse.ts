/** A task's steps as server-sent events. */
import type { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Schedule, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import type { StreamCut } from "../http/OpenStreams.ts"

/** Silence after which a stream says that it is still there, so that proxies do not cut it. */
const PING_INTERVAL = "15 seconds"

export const toSse = (steps: Stream.Stream<TaskStep, SqlError | StreamCut>) =>
  steps.pipe(
    Stream.map((step) => ({ id: String(step.seq), event: step.type, data: step })),
    Stream.catchTag("StreamCut", ({ message, reason }) => Stream.succeed({ id: undefined, event: reason, data: { message } })),
    // A client that loses the stream resumes after the last step it got; the database is then back, or answers 503.
    Stream.catchCause((cause) => Stream.fromEffectDrain(warnUnlessOutage("a task stream was cut short", cause))),
    Stream.merge(pings, { haltStrategy: "left" })
  )

const pings = Stream.fromEffectSchedule(Effect.succeed({ id: undefined, event: "ping", data: {} }), Schedule.spaced(PING_INTERVAL)).pipe(
  Stream.drop(1)
)
