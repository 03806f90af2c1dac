/** REST of insights: see InsightsApi. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { EngLogApi } from "@englog/rpc/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { InsightGenerator } from "./InsightGenerator.ts"
import { Insights } from "./Insights.ts"
import { InsightTasks } from "./InsightTasks.ts"
import { InsightVerification } from "./InsightVerification.ts"

export const InsightsHttp = HttpApiBuilder.group(EngLogApi, "insights", Effect.fn(function*(handlers) {
  const insights = yield* Insights
  const tasks = yield* InsightTasks
  const generator = yield* InsightGenerator
  const verification = yield* InsightVerification
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
    }),
    generate: ({ payload }) => CurrentUser.use((user) => orUnavailable(generator.generate(user, payload))),
    remove: ({ params }) => CurrentUser.use((user) => insights.remove(user, params.id)),
    facts: ({ params }) => CurrentUser.use((user) => insights.facts(user, params.id)),
    verify: ({ params }) => CurrentUser.use((user) => orUnavailable(verification.verify(user, params.id)))
  })
}))
