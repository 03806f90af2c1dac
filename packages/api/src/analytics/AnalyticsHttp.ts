/** `/v1/analytics`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Analytics } from "./Analytics.ts"

export const AnalyticsHttp = HttpApiBuilder.group(EngLogApi, "analytics", Effect.fn(function*(handlers) {
  const analytics = yield* Analytics
  return handlers.handleAll({
    dashboard: ({ query }) => CurrentUser.use((caller) => analytics.dashboard(caller, query)),
    timeDistribution: ({ query }) => CurrentUser.use((caller) => analytics.timeDistribution(caller, query)),
    productivityTrends: ({ query }) => CurrentUser.use((caller) => analytics.productivityTrends(caller, query))
  })
}))
