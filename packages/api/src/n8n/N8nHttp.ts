/** `/v1/integrations/n8n`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { N8nConnections } from "./N8nConnections.ts"

export const N8nHttp = HttpApiBuilder.group(EngLogApi, "n8n", Effect.fn(function*(handlers) {
  const connections = yield* N8nConnections
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const body = yield* orUnavailable(connections.create(yield* CurrentUser, payload))
      return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/integrations/n8n/connections/${body.id}` } })
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(connections.list(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(connections.get(user, params.id))),
    update: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(connections.update(user, params.id, payload))),
    remove: ({ params }) => CurrentUser.use((user) => orUnavailable(connections.remove(user, params.id)))
  })
}))
