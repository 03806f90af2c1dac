/** REST of insights: see InsightsApi. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { EngLogApi } from "@englog/rpc/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Insights } from "./Insights.ts"
import { InsightTasks } from "./InsightTasks.ts"

export const InsightsHttp = HttpApiBuilder.group(EngLogApi, "insights", Effect.fn(function*(handlers) {
  const insights = yield* Insights
  const tasks = yield* InsightTasks
  return handlers.handleAll({
    submitInsight: Effect.fnUntraced(function*({ payload }) {
      const task_id = yield* orUnavailable(tasks.requestInsight(yield* CurrentUser, payload))
      return { task_id, message: "Insight generation task queued successfully" }
    }),
    submitReport: Effect.fnUntraced(function*({ payload }) {
      const task_id = yield* orUnavailable(tasks.requestReport(yield* CurrentUser, payload))
      return { task_id, message: "Report generation task queued successfully" }
    }),
    list: Effect.fnUntraced(function*({ query }) {
      return yield* insights.list(yield* CurrentUser, query)
    }),
    get: Effect.fnUntraced(function*({ params }) {
      return yield* insights.get(yield* CurrentUser, params.id)
    })
  })
}))
