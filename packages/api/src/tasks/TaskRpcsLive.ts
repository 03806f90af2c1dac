/** RPC of tasks: see TaskRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { TaskRpcs } from "@englog/rpc/rpc/TaskRpcs"
import { Effect, Stream } from "effect"
import { orRpcFailure, streamCut } from "../rpc/RpcFailures.ts"
import { TaskInspection } from "./TaskInspection.ts"

export const TaskRpcsLive = TaskRpcs.toLayer(Effect.gen(function*() {
  const tasks = yield* TaskInspection
  return TaskRpcs.of({
    GetTask: ({ task_id }) => CurrentUser.use((user) => orRpcFailure(tasks.view(user, task_id))),
    GetTaskResult: ({ task_id }) => CurrentUser.use((user) => orRpcFailure(tasks.result(user, task_id))),
    CancelTask: ({ task_id }) => CurrentUser.use((user) => orRpcFailure(tasks.cancel(user, task_id))),
    WatchTask: ({ after = 0, task_id }) =>
      Stream.unwrap(CurrentUser.use((user) => orRpcFailure(tasks.watch(user, task_id, after)))).pipe(
        Stream.mapError((error) => streamCut(error, "watch again after the last step"))
      )
  })
}))
