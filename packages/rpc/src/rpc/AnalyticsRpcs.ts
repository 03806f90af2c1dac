/** Analytics over RPC; see AnalyticsApi. */
import { Dashboard, ProductivityTrends, TimeDistribution } from "@englog/domain/analytics/Analytics"
import { Rpc, RpcGroup } from "effect/rpc"
import { AnalyticsQuery, TrendQuery } from "../http/AnalyticsApi.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export class AnalyticsRpcs extends RpcGroup.make(
  Rpc.make("GetDashboard", { payload: AnalyticsQuery, success: Dashboard, error }),
  Rpc.make("GetTimeDistribution", { payload: AnalyticsQuery, success: TimeDistribution, error }),
  Rpc.make("GetProductivityTrends", { payload: TrendQuery, success: ProductivityTrends, error })
).middleware(RpcAuthorization) {}
