/** REST of webhooks: see WebhooksApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { WebhookDeliveries } from "./WebhookDeliveries.ts"
import { Webhooks } from "./Webhooks.ts"

export const WebhooksHttp = HttpApiBuilder.group(EngLogApi, "webhooks", Effect.fn(function*(handlers) {
  const webhooks = yield* Webhooks
  const deliveries = yield* WebhookDeliveries
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const body = yield* orUnavailable(webhooks.create(yield* CurrentUser, payload))
      return HttpApiSchema.withHeaders({ body, headers: { location: `/api/background/webhooks/${body.id}` } })
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(webhooks.list(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(webhooks.get(user, params.id))),
    update: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(webhooks.update(user, params.id, payload))),
    remove: ({ params }) => CurrentUser.use((user) => orUnavailable(webhooks.remove(user, params.id))),
    rotateSecret: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(webhooks.rotate(user, params.id, payload))),
    test: ({ params }) => CurrentUser.use((user) => orUnavailable(deliveries.test(user, params.id))),
    rotateOrganizationSecret: ({ payload }) => CurrentUser.use((user) => orUnavailable(webhooks.rotateOrganization(user, payload))),
    submit: ({ payload }) => CurrentUser.use((user) => orUnavailable(deliveries.submit(user, payload))),
    listDeliveries: ({ query }) => CurrentUser.use((user) => orUnavailable(deliveries.list(user, query))),
    getDelivery: ({ params }) => CurrentUser.use((user) => orUnavailable(deliveries.get(user, params.id))),
    redeliver: ({ params }) => CurrentUser.use((user) => orUnavailable(deliveries.redeliver(user, params.id))),
    redeliverRange: ({ payload }) => CurrentUser.use((user) => orUnavailable(deliveries.redeliverAll(user, payload)))
  })
}))
