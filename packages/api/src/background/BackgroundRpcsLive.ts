/** RPC of background tasks: see BackgroundRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { BackgroundRpcs } from "@englog/rpc/rpc/BackgroundRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { bulkMessage, messageOf } from "./AcceptedMessage.ts"
import { BackgroundTasks } from "./BackgroundTasks.ts"
import { TaskSubmissions } from "./TaskSubmissions.ts"

export const BackgroundRpcsLive = BackgroundRpcs.toLayer(Effect.gen(function*() {
  const submissions = yield* TaskSubmissions
  const tasks = yield* BackgroundTasks
  return BackgroundRpcs.of({
    SubmitTask: (request) =>
      CurrentUser.use((user) => orRpcFailure(submissions.submit(user, request))).pipe(
        Effect.map((accepted) => ({ task_id: accepted.task_id, message: messageOf(accepted) }))
      ),
    SubmitTasks: (request) =>
      CurrentUser.use((user) => orRpcFailure(submissions.submitAll(user, request))).pipe(
        Effect.map((items) => ({ items, message: bulkMessage(items) }))
      ),
    GetBackgroundTask: ({ task_id }) => CurrentUser.use((user) => orRpcFailure(tasks.view(user, task_id))),
    GetTaskLogs: ({ task_id, ...page }) => CurrentUser.use((user) => orRpcFailure(tasks.logs(user, task_id, page))),
    CancelBackgroundTask: ({ task_id }) => CurrentUser.use((user) => orRpcFailure(tasks.cancel(user, task_id)))
  })
}))
