/** Tasks over RPC; see TasksApi. */
import { TaskId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { StepNumber, TaskResultView, TaskStep, TaskView } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const task = { task_id: TaskId }

export class TaskRpcs extends RpcGroup.make(
  Rpc.make("GetTask", { payload: task, success: TaskView, error }),
  Rpc.make("GetTaskResult", { payload: task, success: TaskResultView, error }),
  Rpc.make("CancelTask", { payload: task, success: TaskView, error }),
  /** Every step after number `after` (default 0: all), until the task has ended. */
  Rpc.make("WatchTask", { payload: { ...task, after: Schema.optionalKey(StepNumber) }, success: TaskStep, error, stream: true })
).middleware(RpcAuthorization) {}
