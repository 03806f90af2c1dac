/** RPC of what is set up with one call: see IntegrationRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { IntegrationRpcs } from "@englog/rpc/rpc/IntegrationRpcs"
import { Effect } from "effect"
import { DailyAnalysis } from "../analytics/DailyAnalysis.ts"
import { accepted } from "../background/AcceptedMessage.ts"
import { N8nSyncs } from "../n8n/N8nSyncs.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"

export const IntegrationRpcsLive = IntegrationRpcs.toLayer(Effect.gen(function*() {
  const daily = yield* DailyAnalysis
  const n8n = yield* N8nSyncs
  return IntegrationRpcs.of({
    ScheduleDailyAnalytics: (query) => CurrentUser.use((user) => orRpcFailure(daily.schedule(user, query))),
    SyncWithN8n: (request) => CurrentUser.use((user) => Effect.map(orRpcFailure(n8n.sync(user, request)), accepted)),
    TriggerN8n: (request) => CurrentUser.use((user) => Effect.map(orRpcFailure(n8n.trigger(user, request)), accepted))
  })
}))
