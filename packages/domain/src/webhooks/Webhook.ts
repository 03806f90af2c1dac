/**
 * Webhooks: endpoints of an organization that are told of its events, and what became of each message. Messages are signed by the
 * Standard Webhooks specification; they come at least once, always under the same `webhook-id`, and in no particular order.
 */
import { Schema } from "effect"
import { WebhookDeliveryId, OrganizationId, TaskId, UserId, WebhookId } from "../Ids.ts"

/** What an endpoint can ask to be told of. */
export const WebhookEvent = Schema.Literals(["task.completed", "task.failed", "task.cancelled", "insight.created", "notification.created"])
export type WebhookEvent = typeof WebhookEvent.Type

/** The message that is sent when its owner tries an endpoint. */
export const TEST_EVENT = "webhook.test"

export const WebhookHeaders = Schema.Record(Schema.String, Schema.String)

/** After failures in a row nothing is sent until `retry_at`; then one message tries whether the receiver is back. */
export const Circuit = Schema.Struct({
  state: Schema.Literals(["closed", "open", "half_open"]),
  /** Failed attempts since the last one that succeeded. */
  failures: Schema.Int,
  retry_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}).annotate({ identifier: "WebhookCircuit" })

/** Of the messages to one endpoint: so many on their way at once, so many started in a second. */
export const WebhookRateLimit = Schema.Struct({
  max_running: Schema.NullOr(Schema.Int),
  per_second: Schema.NullOr(Schema.Finite)
}).annotate({ identifier: "WebhookRateLimit" })

/** `user`: by whoever changed it. `gone`: the receiver answered 410. */
export const DisabledReason = Schema.Literals(["user", "gone"])

export class WebhookEndpoint extends Schema.Class<WebhookEndpoint>("WebhookEndpoint")({
  id: WebhookId,
  organization_id: OrganizationId,
  /** Whose tasks its deliveries are: who created it. */
  user_id: UserId,
  url: Schema.String,
  description: Schema.NullOr(Schema.String),
  /** Null: all of them, also those that will be added. */
  events: Schema.NullOr(Schema.Array(WebhookEvent)),
  headers: WebhookHeaders,
  max_retries: Schema.Int,
  rate_limit: WebhookRateLimit,
  enabled: Schema.Boolean,
  disabled_reason: Schema.NullOr(DisabledReason),
  circuit: Circuit,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}

export const DeliveryStatus = Schema.Literals(["pending", "delivered", "failed", "cancelled"])
export type DeliveryStatus = typeof DeliveryStatus.Type

export class Delivery extends Schema.Class<Delivery>("WebhookDelivery")({
  id: WebhookDeliveryId,
  /** The header `webhook-id`, the same at each attempt and each replay. */
  webhook_id: Schema.String,
  organization_id: OrganizationId,
  /** Null: to a URL that was named once. */
  endpoint_id: Schema.NullOr(WebhookId),
  /** Null: the message is somebody's own data. */
  event_type: Schema.NullOr(Schema.String),
  status: DeliveryStatus,
  signed: Schema.Boolean,
  /** The newest task that delivers it. */
  task_id: TaskId,
  attempts: Schema.Int,
  last_status_code: Schema.NullOr(Schema.Int),
  created_at: Schema.DateTimeUtcFromString,
  ended_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** `interrupted`: nothing was heard of it, because its worker was lost or the task was cancelled. The message may have arrived. */
export const AttemptState = Schema.Literals(["sending", "answered", "unanswered", "interrupted"])

/** One attempt, recorded before it is made, with the heads of what was asked and answered. */
export const DeliveryAttempt = Schema.Struct({
  at: Schema.DateTimeUtcFromString,
  task_id: TaskId,
  attempt: Schema.Int,
  state: AttemptState,
  /** Null, as everything below: nothing is known. */
  duration_ms: Schema.NullOr(Schema.Int),
  /** Null: there was no answer. */
  status_code: Schema.NullOr(Schema.Int),
  error: Schema.NullOr(Schema.String),
  request_headers: Schema.NullOr(WebhookHeaders),
  response_headers: Schema.NullOr(WebhookHeaders),
  /** Its beginning. */
  response_body: Schema.NullOr(Schema.String)
}).annotate({ identifier: "WebhookAttempt" })
export type DeliveryAttempt = typeof DeliveryAttempt.Type

export class DeliveryDetail extends Schema.Class<DeliveryDetail>("WebhookDeliveryDetail")({
  ...Delivery.fields,
  url: Schema.String,
  /** As it is sent. */
  body: Schema.String,
  /** Oldest first. */
  log: Schema.Array(DeliveryAttempt)
}) {}

export const webhookIdOf = (id: WebhookDeliveryId): string => `msg_${id.replaceAll("-", "")}`
