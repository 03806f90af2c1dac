/** REST of tasks: see TasksApi. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { EngLogApi } from "@englog/rpc/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { TaskInspection } from "./TaskInspection.ts"
import { toSse } from "./TaskSse.ts"

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
      const after = headers["last-event-id"] ?? 0
      return toSse(yield* orUnavailable(tasks.watch(yield* CurrentUser, params.id, after)), after)
    }),
    cancel: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(tasks.cancel(yield* CurrentUser, params.id))
    })
  })
}))
