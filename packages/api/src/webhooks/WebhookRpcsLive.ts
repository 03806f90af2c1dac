/** RPC of webhooks: see WebhookRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { WebhookRpcs } from "@englog/rpc/rpc/WebhookRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { WebhookDeliveries } from "./WebhookDeliveries.ts"
import { Webhooks } from "./Webhooks.ts"

export const WebhookRpcsLive = WebhookRpcs.toLayer(Effect.gen(function*() {
  const webhooks = yield* Webhooks
  const deliveries = yield* WebhookDeliveries
  return WebhookRpcs.of({
    SubmitWebhookDelivery: (request) => CurrentUser.use((user) => orRpcFailure(deliveries.submit(user, request))),
    CreateWebhook: (webhook) => CurrentUser.use((user) => orRpcFailure(webhooks.create(user, webhook))),
    ListWebhooks: (query) => CurrentUser.use((user) => orRpcFailure(webhooks.list(user, query))),
    GetWebhook: ({ id }) => CurrentUser.use((user) => orRpcFailure(webhooks.get(user, id))),
    UpdateWebhook: ({ id, webhook }) => CurrentUser.use((user) => orRpcFailure(webhooks.update(user, id, webhook))),
    DeleteWebhook: ({ id }) => CurrentUser.use((user) => orRpcFailure(webhooks.remove(user, id))),
    RotateWebhookSecret: ({ id, ...request }) => CurrentUser.use((user) => orRpcFailure(webhooks.rotate(user, id, request))),
    RotateOrganizationWebhookSecret: (request) => CurrentUser.use((user) => orRpcFailure(webhooks.rotateOrganization(user, request))),
    TestWebhook: ({ id }) => CurrentUser.use((user) => orRpcFailure(deliveries.test(user, id))),
    ListWebhookDeliveries: (query) => CurrentUser.use((user) => orRpcFailure(deliveries.list(user, query))),
    GetWebhookDelivery: ({ id }) => CurrentUser.use((user) => orRpcFailure(deliveries.get(user, id))),
    RedeliverWebhook: ({ id }) => CurrentUser.use((user) => orRpcFailure(deliveries.redeliver(user, id))),
    RedeliverWebhooks: (range) => CurrentUser.use((user) => orRpcFailure(deliveries.redeliverAll(user, range)))
  })
}))
