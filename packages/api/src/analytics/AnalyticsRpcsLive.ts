/** RPC of analytics: see AnalyticsRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { AnalyticsRpcs } from "@englog/rpc/rpc/AnalyticsRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Analytics } from "./Analytics.ts"

export const AnalyticsRpcsLive = AnalyticsRpcs.toLayer(Effect.gen(function*() {
  const analytics = yield* Analytics
  return AnalyticsRpcs.of({
    GetDashboard: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.dashboard(caller, query))),
    GetTimeDistribution: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.timeDistribution(caller, query))),
    GetProductivityTrends: (query) => CurrentUser.use((caller) => orRpcFailure(analytics.productivityTrends(caller, query)))
  })
}))
