/** What is set up with one call, over RPC; see IntegrationsApi. */
import { Rpc, RpcGroup } from "effect/rpc"
import { AnalyticsScheduled, DailyAnalyticsQuery } from "../http/IntegrationsApi.ts"
import { N8nSyncRequest, N8nTriggerRequest } from "../http/N8nSyncRequest.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

export class IntegrationRpcs extends RpcGroup.make(
  Rpc.make("ScheduleDailyAnalytics", { payload: DailyAnalyticsQuery, success: AnalyticsScheduled, error: RpcFailure }).annotate(StartsTask, true),
  Rpc.make("SyncWithN8n", { payload: N8nSyncRequest, success: TaskAccepted, error: RpcFailure }).annotate(StartsTask, true),
  Rpc.make("TriggerN8n", { payload: N8nTriggerRequest, success: TaskAccepted, error: RpcFailure }).annotate(StartsTask, true)
).annotateRpcs(RequiredScope, "background").middleware(RpcAuthorization) {}
