/** Dead letters, many tasks at once, and queues over RPC; see DeadLettersApi and QueuesApi. */
import { TaskId } from "@englog/domain/Ids"
import { Cleanup } from "@englog/domain/tasks/Cleanup"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { CancelFilter, CancelledCounts, DeadLetterDetail, DeadLetterPage, DeadLetterQuery, Replayed, ReplayRequest } from "../http/DeadLetterView.ts"
import {
  BackgroundHealth, CleanupAnswer, LimitRequest, QueueSettingView, QueueStats, SteeredQueue, TenantWeight, TenantWeightPage
} from "../http/QueueView.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const task = { task_id: TaskId }
const queue = { queue: SteeredQueue }
const PageSize = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }, { expected: "a whole number from 1 to 200" }))

export class QueueRpcs extends RpcGroup.make(
  Rpc.make("CancelTasks", { payload: CancelFilter, success: CancelledCounts, error }),
  Rpc.make("ListDeadLetters", { payload: DeadLetterQuery, success: DeadLetterPage, error }),
  Rpc.make("GetDeadLetter", { payload: task, success: DeadLetterDetail, error }),
  Rpc.make("ReplayDeadLetter", { payload: task, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ReplayDeadLetters", { payload: ReplayRequest, success: Replayed, error }).annotate(StartsTask, true),
  Rpc.make("GetQueueStats", { success: QueueStats, error }).annotate(RequiredScope, "admin"),
  Rpc.make("PauseQueue", { payload: queue, success: QueueSettingView, error }).annotate(RequiredScope, "admin"),
  Rpc.make("ResumeQueue", { payload: queue, success: QueueSettingView, error }).annotate(RequiredScope, "admin"),
  Rpc.make("LimitQueue", { payload: Schema.Struct({ ...queue, ...LimitRequest.fields }), success: QueueSettingView, error }).annotate(RequiredScope, "admin"),
  Rpc.make("ListTenantWeights", {
    payload: { limit: Schema.optionalKey(PageSize), cursor: Schema.optionalKey(Schema.String) },
    success: TenantWeightPage,
    error
  }).annotate(RequiredScope, "admin"),
  Rpc.make("SetTenantWeight", { payload: TenantWeight, success: TenantWeight, error }).annotate(RequiredScope, "admin"),
  Rpc.make("CleanUpTasks", { payload: Cleanup.payload, success: CleanupAnswer, error }).annotate(RequiredScope, "admin"),
  Rpc.make("GetBackgroundHealth", { success: BackgroundHealth, error })
).annotateRpcs(RequiredScope, "background").middleware(RpcAuthorization) {}
