/** RPC of insights: see InsightRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { InsightRpcs } from "@englog/rpc/rpc/InsightRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { InsightGenerator } from "./InsightGenerator.ts"
import { Insights } from "./Insights.ts"
import { InsightTasks } from "./InsightTasks.ts"
import { InsightVerification } from "./InsightVerification.ts"

export const InsightRpcsLive = InsightRpcs.toLayer(Effect.gen(function*() {
  const insights = yield* Insights
  const tasks = yield* InsightTasks
  const generator = yield* InsightGenerator
  const verification = yield* InsightVerification
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
    GenerateInsight: (request) => CurrentUser.use((user) => orRpcFailure(generator.generate(user, request))),
    GetInsight: ({ id }) => CurrentUser.use((user) => orRpcFailure(insights.get(user, id))),
    DeleteInsight: ({ id }) => CurrentUser.use((user) => orRpcFailure(insights.remove(user, id))),
    GetInsightFacts: ({ id }) => CurrentUser.use((user) => orRpcFailure(insights.facts(user, id))),
    VerifyInsight: ({ id }) => CurrentUser.use((user) => orRpcFailure(verification.verify(user, id)))
  })
}))
