/** `/v1/analytics`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Analytics } from "./Analytics.ts"
import { UserMetricsRefresh } from "./UserMetricsRefresh.ts"

export const AnalyticsHttp = HttpApiBuilder.group(EngLogApi, "analytics", Effect.fn(function*(handlers) {
  const analytics = yield* Analytics
  const metrics = yield* UserMetricsRefresh
  return handlers.handleAll({
    dashboard: ({ query }) => CurrentUser.use((caller) => analytics.dashboard(caller, query)),
    timeDistribution: ({ query }) => CurrentUser.use((caller) => analytics.timeDistribution(caller, query)),
    productivityTrends: ({ query }) => CurrentUser.use((caller) => analytics.productivityTrends(caller, query)),
    daily: ({ query }) => CurrentUser.use((caller) => analytics.daily(caller, query)),
    teamDaily: ({ params, query }) => CurrentUser.use((caller) => analytics.teamDaily(caller, params.id, query)),
    userMetrics: () => CurrentUser.use(({ id }) => orUnavailable(metrics.ofUser(id)))
  })
}))
