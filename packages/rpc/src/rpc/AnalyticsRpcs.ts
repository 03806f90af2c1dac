/** Analytics over RPC; see AnalyticsApi. */
import { DailyAnalytics, Dashboard, ProductivityTrends, TeamAnalytics, TimeDistribution } from "@englog/domain/analytics/Analytics"
import { OrganizationId } from "@englog/domain/Ids"
import { UserMetrics } from "@englog/domain/analytics/UserMetrics"
import { Rpc, RpcGroup } from "effect/rpc"
import { AnalyticsQuery, TrendQuery } from "../http/AnalyticsApi.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export class AnalyticsRpcs extends RpcGroup.make(
  Rpc.make("GetDashboard", { payload: AnalyticsQuery, success: Dashboard, error }),
  Rpc.make("GetTimeDistribution", { payload: AnalyticsQuery, success: TimeDistribution, error }),
  Rpc.make("GetProductivityTrends", { payload: TrendQuery, success: ProductivityTrends, error }),
  Rpc.make("GetDailyAnalytics", { payload: AnalyticsQuery, success: DailyAnalytics, error }),
  Rpc.make("GetTeamAnalytics", { payload: { id: OrganizationId, period: AnalyticsQuery }, success: TeamAnalytics, error }),
  Rpc.make("GetUserMetrics", { success: UserMetrics, error })
).middleware(RpcAuthorization) {}
