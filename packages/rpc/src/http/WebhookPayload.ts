/** What a client may say of webhooks, by REST and RPC alike. */
import { WebhookDeliveryId, OrganizationId, TaskId, WebhookId } from "@englog/domain/Ids"
import { Delivery, DeliveryStatus, WebhookEndpoint, WebhookEvent } from "@englog/domain/webhooks/Webhook"
import { Schema } from "effect"
import { Page, pageQuery } from "./Page.ts"
import { TrimmedText } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import { StorableJson } from "./StorableJson.ts"
import { TaskRequest } from "./TaskRequest.ts"
import { Instant } from "./Times.ts"

/** Of one organization. */
export const MAX_WEBHOOKS = 100
/** Messages that one request sends again. */
export const MAX_REDELIVERIES = 1_000
/** Of a message as JSON. */
export const MAX_MESSAGE_BYTES = 262_144
const MAX_HEADERS = 20

/** Whether it may be asked at all is judged by the server. */
export const WebhookUrl = TrimmedText({ min: 1, max: 2_048 }).annotate({
  description: "An absolute https:// URL without user name and password, on a host of the public internet.",
  examples: ["https://example.com/webhook"]
})

/** Those of the message itself and of the connection are ours. */
const RESERVED = /^(webhook-.*|proxy-.*|sec-.*|host|content-length|content-type|content-encoding|accept-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect)$/

const headerProblem = (name: string, value: string): string | undefined =>
  !/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name)
    ? "is no name of a header"
    : RESERVED.test(name.toLowerCase())
    ? "is set by EngLog itself"
    : !/^[\x20-\x7e]{0,1000}$/.test(value)
    ? "must have at most 1000 printable ASCII characters"
    : undefined

export const RequestHeaders = Schema.Record(Schema.String, Schema.String).check(
  Schema.makeFilter<Readonly<Record<string, string>>>((headers) => {
    const entries = Object.entries(headers)
    if (entries.length > MAX_HEADERS) return `must be at most ${MAX_HEADERS}`
    if (new Set(entries.map(([name]) => name.toLowerCase())).size < entries.length) return "must not name one header twice"
    for (const [name, value] of entries) {
      const issue = headerProblem(name, value)
      if (issue !== undefined) return { path: [name], issue }
    }
    return undefined
  }, { expected: `at most ${MAX_HEADERS} headers`, toJsonSchema: () => [{ maxProperties: MAX_HEADERS }, true] })
).annotate({ description: "Headers that each message gets besides ours, for instance `authorization`. Kept encrypted." })

const { deadline, delay, max_retries, name, organization_id, priority, queue, result_ttl, retry_policy, run_at } = TaskRequest.fields

/** Seed 002, and what may be said of any background task. */
export const WebhookDeliveryRequest = Schema.Struct({
  webhook_url: WebhookUrl,
  data: StorableJson.annotate({ description: `The message's body: any JSON, at most ${MAX_MESSAGE_BYTES} bytes. Kept encrypted.` }),
  headers: Schema.optionalKey(RequestHeaders),
  sign_payload: Schema.optionalKey(Schema.Boolean.annotate({
    description: "By default false. True: signed with your organization's secret, made at /api/background/webhook-secret."
  })),
  deadline, delay, max_retries, name, organization_id, priority, queue, result_ttl, retry_policy, run_at
}).check(
  Schema.makeFilter((request: { readonly delay?: unknown; readonly run_at?: unknown }) =>
    request.delay !== undefined && request.run_at !== undefined
      ? { path: ["delay"], issue: "must not be given together with run_at" }
      : undefined, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "WebhookDeliveryRequest" })
export type WebhookDeliveryRequest = typeof WebhookDeliveryRequest.Type

export const DeliveryAccepted = Schema.Struct({
  task_id: TaskId,
  delivery_id: WebhookDeliveryId,
  webhook_id: Schema.String,
  message: Schema.String
}).annotate({ identifier: "WebhookDeliveryAccepted" })

const Events = Schema.Array(WebhookEvent).check(
  Schema.makeFilter<ReadonlyArray<WebhookEvent>>((events) =>
    events.length === 0 ? "must name at least one, or be null for all" : new Set(events).size < events.length ? "must not name one twice" : undefined, {
    expected: "at least one event, each once",
    toJsonSchema: () => [{ minItems: 1, maxItems: WebhookEvent.literals.length, uniqueItems: true }, true]
  })
)

const RateLimit = Schema.Struct({
  max_running: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }, { expected: "a whole number from 1 to 1000" }))),
  per_second: Schema.NullOr(Schema.Finite.check(Schema.isBetween({ minimum: 0.01, maximum: 1_000 }, { expected: "a number from 0.01 to 1000" })))
}).annotate({ identifier: "WebhookRateLimitRequest", description: "Messages to it at once, and first attempts in a second; null: as many as there are." })

export const WebhookPayload = Schema.Struct({
  url: WebhookUrl,
  description: Schema.optionalKey(Schema.NullOr(TrimmedText({ max: 500 }))),
  events: Schema.optionalKey(Schema.NullOr(Events)),
  headers: Schema.optionalKey(RequestHeaders),
  max_retries: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }, { expected: "a whole number from 0 to 20" })).annotate({
      description: "By default 3, after 60, 120 and 240 seconds; at most an hour apart."
    })
  ),
  rate_limit: Schema.optionalKey(RateLimit),
  enabled: Schema.optionalKey(Schema.Boolean),
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you administer; by default your own. It cannot be changed later." })),
  id: ignored,
  user_id: ignored,
  disabled_reason: ignored,
  circuit: ignored,
  created_at: ignored,
  updated_at: ignored
}).annotate({ identifier: "WebhookPayload" })
export type WebhookPayload = typeof WebhookPayload.Type

/** Shown once. */
const secret = Schema.String.annotate({ description: "What its messages are signed with; it is not shown again." })

export const CreatedWebhook = Schema.Struct({ ...WebhookEndpoint.fields, secret }).annotate({ identifier: "CreatedWebhook" })
export type CreatedWebhook = typeof CreatedWebhook.Type

export const WebhookPage = Page(WebhookEndpoint).annotate({ identifier: "WebhookPage" })

export const WebhooksQuery = Schema.Struct({ organization_id: Schema.optionalKey(OrganizationId), ...pageQuery })
export type WebhooksQuery = typeof WebhooksQuery.Type

const overlap = {
  previous_valid_for: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2_592_000 }, { expected: "a number of seconds from 0 to 2592000" })).annotate({
      description: "Seconds for which messages carry a signature of the secret before as well; by default a day."
    })
  )
}
export const RotateSecret = Schema.Struct(overlap).annotate({ identifier: "RotateWebhookSecret" })
export type RotateSecret = typeof RotateSecret.Type

export const RotateOrganizationSecret = Schema.Struct({ organization_id: Schema.optionalKey(OrganizationId), ...overlap }).annotate({
  identifier: "RotateOrganizationWebhookSecret"
})
export type RotateOrganizationSecret = typeof RotateOrganizationSecret.Type

export const NewSecret = Schema.Struct({ secret, previous_valid_until: Schema.NullOr(Schema.DateTimeUtcFromString) }).annotate({ identifier: "NewWebhookSecret" })

export const DeliveryPage = Page(Delivery).annotate({ identifier: "WebhookDeliveryPage" })

const range = {
  organization_id: Schema.optionalKey(OrganizationId),
  endpoint_id: Schema.optionalKey(WebhookId),
  status: Schema.optionalKey(DeliveryStatus),
  from: Schema.optionalKey(Instant.annotate({ description: "Messages that came into being then or later." })),
  to: Schema.optionalKey(Instant.annotate({ description: "Messages that came into being before." }))
}
export const DeliveriesQuery = Schema.Struct({ ...range, ...pageQuery })
export type DeliveriesQuery = typeof DeliveriesQuery.Type

export const RedeliverRange = Schema.Struct({
  ...range,
  status: Schema.optionalKey(Schema.Literals(["delivered", "failed", "cancelled"]).annotate({ description: "By default failed." }))
}).annotate({ identifier: "RedeliverRange" })
export type RedeliverRange = typeof RedeliverRange.Type

export const RedeliveredRange = Schema.Struct({
  items: Schema.Array(Schema.Struct({ delivery_id: WebhookDeliveryId, task_id: TaskId })),
  /** There are more of them than one request sends. */
  more: Schema.Boolean
}).annotate({ identifier: "RedeliveredRange" })
