/** Webhooks over RPC; see WebhooksApi. */
import { WebhookDeliveryId, WebhookId } from "@englog/domain/Ids"
import { DeliveryDetail, WebhookEndpoint } from "@englog/domain/webhooks/Webhook"
import { Rpc, RpcGroup } from "effect/rpc"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import {
  CreatedWebhook, DeliveriesQuery, DeliveryAccepted, DeliveryPage, NewSecret, RedeliveredRange, RedeliverRange, RotateOrganizationSecret, RotateSecret,
  WebhookDeliveryRequest, WebhookPage, WebhookPayload, WebhooksQuery
} from "../http/WebhookPayload.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: WebhookId }
const delivery = { id: WebhookDeliveryId }

export class WebhookRpcs extends RpcGroup.make(
  Rpc.make("SubmitWebhookDelivery", { payload: WebhookDeliveryRequest, success: DeliveryAccepted, error }).annotate(StartsTask, true),
  Rpc.make("CreateWebhook", { payload: WebhookPayload, success: CreatedWebhook, error }),
  Rpc.make("ListWebhooks", { payload: WebhooksQuery, success: WebhookPage, error }),
  Rpc.make("GetWebhook", { payload: id, success: WebhookEndpoint, error }),
  Rpc.make("UpdateWebhook", { payload: { ...id, webhook: WebhookPayload }, success: WebhookEndpoint, error }),
  Rpc.make("DeleteWebhook", { payload: id, error }),
  Rpc.make("RotateWebhookSecret", { payload: { ...id, ...RotateSecret.fields }, success: NewSecret, error }),
  Rpc.make("RotateOrganizationWebhookSecret", { payload: RotateOrganizationSecret, success: NewSecret, error }),
  Rpc.make("TestWebhook", { payload: id, success: DeliveryAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ListWebhookDeliveries", { payload: DeliveriesQuery, success: DeliveryPage, error }),
  Rpc.make("GetWebhookDelivery", { payload: delivery, success: DeliveryDetail, error }),
  Rpc.make("RedeliverWebhook", { payload: delivery, success: DeliveryAccepted, error }).annotate(StartsTask, true),
  Rpc.make("RedeliverWebhooks", { payload: RedeliverRange, success: RedeliveredRange, error }).annotate(StartsTask, true)
).annotateRpcs(RequiredScope, "background").middleware(RpcAuthorization) {}
