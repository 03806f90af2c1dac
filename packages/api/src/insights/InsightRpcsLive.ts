/** RPC of insights: see InsightRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { InsightRpcs } from "@englog/rpc/rpc/InsightRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Insights } from "./Insights.ts"
import { InsightTasks } from "./InsightTasks.ts"

export const InsightRpcsLive = InsightRpcs.toLayer(Effect.gen(function*() {
  const insights = yield* Insights
  const tasks = yield* InsightTasks
  return InsightRpcs.of({
    SubmitInsight: (request) =>
      CurrentUser.use((user) => orRpcFailure(tasks.requestInsight(user, request))).pipe(
        Effect.map((task_id) => ({ task_id, message: "Insight generation task queued successfully" }))
      ),
    SubmitReport: (request) =>
      CurrentUser.use((user) => orRpcFailure(tasks.requestReport(user, request))).pipe(
        Effect.map((task_id) => ({ task_id, message: "Report generation task queued successfully" }))
      ),
    ListInsights: (query) => CurrentUser.use((user) => orRpcFailure(insights.list(user, query))),
    GetInsight: ({ id }) => CurrentUser.use((user) => orRpcFailure(insights.get(user, id)))
  })
}))
