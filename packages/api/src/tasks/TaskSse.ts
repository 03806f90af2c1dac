/** What comes with a number each, the steps of a task for instance, as server-sent events. */
import type { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Schedule, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import { type StreamCut, streamEnd } from "../http/OpenStreams.ts"

/** Silence after which a stream says that it is still there, so that proxies do not cut it. */
const PING_INTERVAL = "15 seconds"

/** Of the steps after number `after`. */
export const toSse = (steps: Stream.Stream<TaskStep, SqlError | StreamCut>, after: number) => numberedSse(steps, after, ({ type }) => type)

/** Of what comes after number `after`. Where some of it is not kept any more, a `reset` says so before the first that is. */
export const numberedSse = <A extends { readonly seq: number }>(
  items: Stream.Stream<A, SqlError | StreamCut>,
  after: number,
  nameOf: (item: A) => string
) =>
  items.pipe(
    Stream.mapAccum(() => after, (before, item) => {
      const message = { id: String(item.seq), event: nameOf(item), data: item }
      return [item.seq, item.seq > before + 1 ? [reset(before, item.seq), message] : [message]]
    }),
    Stream.catchTag("StreamCut", (cut) => Stream.succeed({ id: undefined, event: cut.reason, data: streamEnd(cut) })),
    // A client that loses the stream resumes after the last that it got; the database is then back, or answers 503.
    Stream.catchCause((cause) => Stream.fromEffectDrain(warnUnlessOutage("an event stream was cut short", cause))),
    Stream.merge(pings, { haltStrategy: "left" })
  )

const reset = (before: number, next: number) => ({
  id: undefined,
  event: "reset",
  data: { message: `what came after ${before} and before ${next} is not kept any more` }
})

const pings = Stream.fromEffectSchedule(Effect.succeed({ id: undefined, event: "ping", data: {} }), Schedule.spaced(PING_INTERVAL)).pipe(
  Stream.drop(1)
)
