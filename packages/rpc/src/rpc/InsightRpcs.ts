/** Insights and reports over RPC; see InsightsApi. */
import { InsightId } from "@englog/domain/Ids"
import { Insight } from "@englog/domain/insights/Insight"
import { Rpc, RpcGroup } from "effect/rpc"
import { Verification } from "@englog/domain/verification/Verification"
import { InsightAnswer, InsightRequest } from "../http/InsightRequest.ts"
import { InsightFacts, InsightPage, insightQuery } from "../http/InsightsApi.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { InsightTaskRequest, ReportTaskRequest, TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: InsightId }

export class InsightRpcs extends RpcGroup.make(
  Rpc.make("SubmitInsight", { payload: InsightTaskRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("SubmitReport", { payload: ReportTaskRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ListInsights", { payload: insightQuery, success: InsightPage, error }),
  Rpc.make("GenerateInsight", { payload: InsightRequest, success: InsightAnswer, error }).annotate(StartsTask, true),
  Rpc.make("GetInsight", { payload: id, success: Insight, error }),
  Rpc.make("DeleteInsight", { payload: id, error }),
  Rpc.make("GetInsightFacts", { payload: id, success: InsightFacts, error }),
  Rpc.make("VerifyInsight", { payload: id, success: Verification, error }).annotate(RequiredScope, "read")
).middleware(RpcAuthorization) {}
