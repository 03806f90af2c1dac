/**
 * WEBHOOK_DELIVERY (seed 002): one message to one URL. The API server composes and signs it when an attempt begins, so that an
 * attempt has the newest URL and secrets, and no secret leaves the API server; the worker sends it and says what came back.
 */
import { Schema } from "effect"
import { WebhookDeliveryId } from "../Ids.ts"
import { WebhookHeaders } from "../webhooks/Webhook.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

/** Of an answer's body this much is kept, in bytes. */
export const MAX_RESPONSE_BODY = 4_096

/** What an attempt is to do. Hold: nothing now, and again after so many milliseconds. */
export const DeliveryOrder = Schema.Union([
  Schema.TaggedStruct("Send", { url: Schema.String, headers: WebhookHeaders, body: Schema.String }),
  Schema.TaggedStruct("Hold", { retry_after: Schema.Finite }),
  Schema.TaggedStruct("Refuse", { reason: Schema.String })
])

/** What came of an attempt. */
export const DeliveryRecord = Schema.Struct({
  duration_ms: Schema.Int,
  request_headers: WebhookHeaders,
  status_code: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 999 }))),
  error: Schema.NullOr(Schema.String),
  response_headers: Schema.NullOr(WebhookHeaders),
  response_body: Schema.NullOr(Schema.String)
})
export type DeliveryRecord = typeof DeliveryRecord.Type

/** What is kept of a delivery with its task; the log has the rest. */
export const DeliveryResult = Schema.Struct({ delivery_id: WebhookDeliveryId, status_code: Schema.NullOr(Schema.Int), duration_ms: Schema.Int })

/** What a failed attempt tells the API server. */
export const FailedDelivery = Schema.Union([Schema.TaggedStruct("Held", {}), Schema.TaggedStruct("Sent", { record: DeliveryRecord })])

export const WebhookDelivery = TaskKind.make({
  kind: "WEBHOOK_DELIVERY",
  payload: Schema.Struct({ delivery_id: WebhookDeliveryId }),
  result: DeliveryRecord,
  policy: { ...backgroundPolicy, attempt_timeout: 60_000 },
  submittedBy: "/api/background/tasks/webhook-delivery"
})
