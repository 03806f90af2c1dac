/** Background tasks of any kind over RPC; see BackgroundApi. Watch one with WatchTask. */
import { TaskId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { LogsPage } from "../http/BackgroundApi.ts"
import { BackgroundTaskView } from "../http/BackgroundView.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { BulkAccepted, BulkTaskRequest, TaskRequest } from "../http/TaskRequest.ts"
import { StepNumber, TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const task = { task_id: TaskId }

const PageSize = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }, { expected: "a whole number from 1 to 200" }))

export class BackgroundRpcs extends RpcGroup.make(
  Rpc.make("SubmitTask", { payload: TaskRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("SubmitTasks", { payload: BulkTaskRequest, success: BulkAccepted, error }).annotate(StartsTask, true),
  Rpc.make("GetBackgroundTask", { payload: task, success: BackgroundTaskView, error }),
  Rpc.make("GetTaskLogs", {
    payload: { ...task, limit: Schema.optionalKey(PageSize), cursor: Schema.optionalKey(StepNumber) },
    success: LogsPage,
    error
  }),
  /** Unlike CancelTask it fails with `conflict` where the task has already ended. */
  Rpc.make("CancelBackgroundTask", { payload: task, success: BackgroundTaskView, error })
).annotateRpcs(RequiredScope, "background").middleware(RpcAuthorization) {}
