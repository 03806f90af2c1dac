/** REST of tasks: see TasksApi. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { EngLogApi } from "@englog/rpc/http/Api"
import type { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Schedule, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { warnUnlessOutage } from "../db/Outage.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { TaskInspection } from "./TaskInspection.ts"

/** Silence after which a stream says that it is still there, so that proxies do not cut it. */
const PING_INTERVAL = "15 seconds"

export const TasksHttp = HttpApiBuilder.group(EngLogApi, "tasks", Effect.fn(function*(handlers) {
  const tasks = yield* TaskInspection
  return handlers.handleAll({
    get: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(tasks.view(yield* CurrentUser, params.id))
    }),
    result: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(tasks.result(yield* CurrentUser, params.id))
    }),
    stream: Effect.fnUntraced(function*({ headers, params }) {
      const steps = yield* orUnavailable(tasks.watch(yield* CurrentUser, params.id, headers["last-event-id"] ?? 0))
      return steps.pipe(
        Stream.map(toSse),
        Stream.catchTag("StreamCut", ({ message, reason }) => Stream.succeed({ id: undefined, event: reason, data: { message } })),
        // A client that loses the stream resumes after the last step it got; the database is then back, or answers 503.
        Stream.catchCause((cause) => Stream.fromEffectDrain(warnUnlessOutage("a task stream was cut short", cause))),
        Stream.merge(pings, { haltStrategy: "left" })
      )
    }),
    cancel: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(tasks.cancel(yield* CurrentUser, params.id))
    })
  })
}))

const toSse = (step: TaskStep) => ({ id: String(step.seq), event: step.type, data: step })

const pings = Stream.fromEffectSchedule(Effect.succeed({ id: undefined, event: "ping", data: {} }), Schedule.spaced(PING_INTERVAL)).pipe(
  Stream.drop(1)
)
