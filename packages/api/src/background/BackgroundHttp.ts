/** REST of background tasks: see BackgroundApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { TaskInspection } from "../tasks/TaskInspection.ts"
import { toSse } from "../tasks/TaskSse.ts"
import { bulkMessage, messageOf } from "./AcceptedMessage.ts"
import { BackgroundTasks } from "./BackgroundTasks.ts"
import { TaskSubmissions } from "./TaskSubmissions.ts"

export const BackgroundHttp = HttpApiBuilder.group(EngLogApi, "background", Effect.fn(function*(handlers) {
  const submissions = yield* TaskSubmissions
  const tasks = yield* BackgroundTasks
  const inspection = yield* TaskInspection
  return handlers.handleAll({
    submit: Effect.fnUntraced(function*({ payload }) {
      const accepted = yield* orUnavailable(submissions.submit(yield* CurrentUser, payload))
      return { task_id: accepted.task_id, message: messageOf(accepted) }
    }),
    submitBulk: Effect.fnUntraced(function*({ payload }) {
      const items = yield* orUnavailable(submissions.submitAll(yield* CurrentUser, payload))
      return { items, message: bulkMessage(items) }
    }),
    get: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(tasks.view(yield* CurrentUser, params.id))
    }),
    logs: Effect.fnUntraced(function*({ params, query }) {
      return yield* orUnavailable(tasks.logs(yield* CurrentUser, params.id, query))
    }),
    stream: Effect.fnUntraced(function*({ headers, params }) {
      const after = headers["last-event-id"] ?? 0
      return toSse(yield* orUnavailable(inspection.watch(yield* CurrentUser, params.id, after)), after)
    }),
    cancel: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(tasks.cancel(yield* CurrentUser, params.id))
    })
  })
}))
