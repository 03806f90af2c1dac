/** RPC of analytics: see AnalyticsRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { AnalyticsRpcs } from "@englog/rpc/rpc/AnalyticsRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Analytics } from "./Analytics.ts"
import { UserMetricsRefresh } from "./UserMetricsRefresh.ts"

export const AnalyticsRpcsLive = AnalyticsRpcs.toLayer(Effect.gen(function*() {
  const analytics = yield* Analytics
  const metrics = yield* UserMetricsRefresh
  return AnalyticsRpcs.of({
    GetDashboard: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.dashboard(caller, query))),
    GetTimeDistribution: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.timeDistribution(caller, query))),
    GetProductivityTrends: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.productivityTrends(caller, query))),
    GetDailyAnalytics: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.daily(caller, query))),
    GetTeamAnalytics: ({ id, period }) => CurrentUser.use((caller) => orRpcFailure(analytics.teamDaily(caller, id, period))),
    GetUserMetrics: () => CurrentUser.use(({ id }) => orRpcFailure(metrics.ofUser(id)))
  })
}))
