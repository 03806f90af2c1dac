/** REST of what is set up with one call: see IntegrationsApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { DailyAnalysis } from "../analytics/DailyAnalysis.ts"
import { accepted } from "../background/AcceptedMessage.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { N8nSyncs } from "../n8n/N8nSyncs.ts"

export const IntegrationsHttp = HttpApiBuilder.group(EngLogApi, "integrations", Effect.fn(function*(handlers) {
  const daily = yield* DailyAnalysis
  const n8n = yield* N8nSyncs
  return handlers.handleAll({
    scheduleDailyAnalytics: ({ query }) => CurrentUser.use((user) => orUnavailable(daily.schedule(user, query))),
    syncWithN8n: ({ payload }) => CurrentUser.use((user) => Effect.map(orUnavailable(n8n.sync(user, payload)), accepted)),
    triggerN8n: ({ payload }) => CurrentUser.use((user) => Effect.map(orUnavailable(n8n.trigger(user, payload)), accepted))
  })
}))
