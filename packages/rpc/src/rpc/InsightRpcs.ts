/** Insights and reports over RPC; see InsightsApi. */
import { InsightId } from "@englog/domain/Ids"
import { Insight } from "@englog/domain/insights/Insight"
import { Rpc, RpcGroup } from "effect/rpc"
import { InsightPage, insightQuery } from "../http/InsightsApi.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { InsightTaskRequest, ReportTaskRequest, TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export class InsightRpcs extends RpcGroup.make(
  Rpc.make("SubmitInsight", { payload: InsightTaskRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("SubmitReport", { payload: ReportTaskRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ListInsights", { payload: insightQuery, success: InsightPage, error }),
  Rpc.make("GetInsight", { payload: { id: InsightId }, success: Insight, error })
).middleware(RpcAuthorization) {}
