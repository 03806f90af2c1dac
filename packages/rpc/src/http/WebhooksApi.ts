/**
 * Webhooks (seed 002): messages to a URL that is named once, endpoints that are told of events, and what became of each message.
 */
import { WebhookDeliveryId, WebhookId } from "@englog/domain/Ids"
import { DeliveryDetail, WebhookEndpoint } from "@englog/domain/webhooks/Webhook"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import * as Example from "./WebhookExamples.ts"
import {
  CreatedWebhook, DeliveriesQuery, DeliveryAccepted, DeliveryPage, MAX_REDELIVERIES, MAX_WEBHOOKS, NewSecret, RedeliveredRange, RedeliverRange,
  RotateOrganizationSecret, RotateSecret, WebhookDeliveryRequest, WebhookPage, WebhookPayload, WebhooksQuery
} from "./WebhookPayload.ts"

const params = { id: WebhookId }
const accepted = DeliveryAccepted.pipe(HttpApiSchema.status(202))
const guarantee = "A message is delivered at least once, always under the same `webhook-id`, and in no particular order. Anything but 2xx is "
  + "a failure that is tried again by the retry policy, not before `Retry-After`; redirects are not followed; 410 disables the endpoint."

export class WebhooksApi extends HttpApiGroup.make("webhooks").add(
  HttpApiEndpoint.post("submit", "/api/background/tasks/webhook-delivery", {
    payload: WebhookDeliveryRequest,
    success: accepted,
    error: [BadRequest, Forbidden, NotFound, Conflict, PayloadTooLarge]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Send a message to a URL",
    description: guarantee,
    transform: examples({ request: Example.deliveryRequest, response: Example.accepted })
  })),
  HttpApiEndpoint.post("create", "/api/background/webhooks", {
    payload: WebhookPayload,
    success: HttpApiSchema.WithHeaders(CreatedWebhook.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [BadRequest, Forbidden, Conflict]
  }).annotateMerge(OpenApi.annotations({
    summary: "Register an endpoint",
    description: `It is told of the events that it names, from then on. Each message is signed (Standard Webhooks) with the secret that is answered here and never again. An organization can have ${MAX_WEBHOOKS}. ${guarantee}`,
    transform: examples({ request: Example.request, response: Example.created })
  })),
  HttpApiEndpoint.get("list", "/api/background/webhooks", { query: WebhooksQuery, success: WebhookPage, error: Forbidden })
    .annotateMerge(OpenApi.annotations({
      summary: "List endpoints, newest first",
      description: "Those of an organization that you are a member of; by default your own.",
      transform: examples({ response: { items: [Example.endpoint], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/api/background/webhooks/:id", { params, success: WebhookEndpoint, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read an endpoint",
      description: "With the state of its circuit: after failures in a row nothing is sent until `retry_at`. Its secret is not shown.",
      transform: examples({ response: Example.endpoint })
    })),
  HttpApiEndpoint.put("update", "/api/background/webhooks/:id", {
    params,
    payload: WebhookPayload,
    success: WebhookEndpoint,
    error: [BadRequest, Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace an endpoint",
    description: "What is left out takes its default. Its circuit is closed. Messages that wait already are sent to the new URL; retries and rate limit hold for those that follow.",
    transform: examples({ request: Example.request, response: Example.endpoint })
  })),
  HttpApiEndpoint.delete("remove", "/api/background/webhooks/:id", { params, success: HttpApiSchema.NoContent, error: [Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Delete an endpoint",
      description: "Its messages and their log go with it; what is on its way is not sent any more."
    })),
  HttpApiEndpoint.post("rotateSecret", "/api/background/webhooks/:id/rotate-secret", {
    params,
    payload: RotateSecret,
    success: NewSecret,
    error: [Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Make an endpoint a new secret",
    description: "Messages carry a signature of each while both are alive. The secret before the one that is replaced ends at once.",
    transform: examples({ request: { previous_valid_for: 86400 }, response: Example.newSecret })
  })),
  HttpApiEndpoint.post("test", "/api/background/webhooks/:id/test", { params, success: accepted, error: [Forbidden, NotFound, Conflict] })
    .annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
      summary: "Send an endpoint a test",
      description: "A message of the type `webhook.test`, signed and logged like any other.",
      transform: examples({ response: Example.accepted })
    })),
  HttpApiEndpoint.post("rotateOrganizationSecret", "/api/background/webhook-secret", {
    payload: RotateOrganizationSecret,
    success: NewSecret,
    error: Forbidden
  }).annotateMerge(OpenApi.annotations({
    summary: "Make your organization's secret, or a new one",
    description: "What `sign_payload` signs messages to URLs with that are named once. The one before signs beside it for a day, or as long as you say.",
    transform: examples({ request: { previous_valid_for: 86400 }, response: Example.newSecret })
  })),
  HttpApiEndpoint.get("listDeliveries", "/api/background/webhook-deliveries", { query: DeliveriesQuery, success: DeliveryPage, error: [Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "List messages, newest first",
      description: "Kept for 30 days after their end.",
      transform: examples({ response: { items: [Example.delivery], next_cursor: null } })
    })),
  HttpApiEndpoint.get("getDelivery", "/api/background/webhook-deliveries/:id", { params: { id: WebhookDeliveryId }, success: DeliveryDetail, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read a message",
      description: "With the log of its attempts, oldest first: the heads of request and answer, and the beginning of the answer's body.",
      transform: examples({ response: Example.detail })
    })),
  HttpApiEndpoint.post("redeliver", "/api/background/webhook-deliveries/:id/redeliver", {
    params: { id: WebhookDeliveryId },
    success: accepted,
    error: [NotFound, Conflict]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Send a message again",
    description: "The same body under the same `webhook-id`, to the endpoint's present URL. One that is still on its way answers 409.",
    transform: examples({ response: Example.accepted })
  })),
  HttpApiEndpoint.post("redeliverRange", "/api/background/webhook-deliveries/redeliver", {
    payload: RedeliverRange,
    success: RedeliveredRange.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Forbidden, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: `Send up to ${MAX_REDELIVERIES} messages again`,
    description: "The newest first, each under its own `webhook-id`; by default those that failed. What somebody else sent again meanwhile is left out.",
    transform: examples({ request: { status: "failed", from: "2025-08-01T00:00:00Z" }, response: Example.redelivered })
  }))
).annotateEndpoints(RequiredScope, "background").middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Webhooks",
  description: "Messages to other people's servers, signed by the Standard Webhooks specification."
})) {}
