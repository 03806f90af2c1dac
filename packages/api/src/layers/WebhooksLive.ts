/** Webhooks: endpoints, messages, deliveries. */
import { Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { KnownKinds } from "../background/KnownKinds.ts"
import { CircuitRepo } from "../webhooks/CircuitRepo.ts"
import { DeliveryOutcomesLive } from "../webhooks/DeliveryOutcomes.ts"
import { DeliveryRepo } from "../webhooks/DeliveryRepo.ts"
import { DeliveryTasks } from "../webhooks/DeliveryTasks.ts"
import { EventMessages } from "../webhooks/EventMessages.ts"
import { UrlPolicy } from "../webhooks/UrlPolicy.ts"
import { WebhookDeliveries } from "../webhooks/WebhookDeliveries.ts"
import { WebhookEventsLive } from "../webhooks/WebhookEvents.ts"
import { WebhookMetrics } from "../webhooks/WebhookMetrics.ts"
import { WebhookRepo } from "../webhooks/WebhookRepo.ts"
import { Webhooks } from "../webhooks/Webhooks.ts"
import { WebhookSecretRepo } from "../webhooks/WebhookSecretRepo.ts"

const urlPolicy = Layer.effect(UrlPolicy, Effect.map(AppConfig, ({ webAllowPrivate }) => ({ allowPrivate: webAllowPrivate })))

export const EventMessagesLive = EventMessages.layer.pipe(Layer.provide(DeliveryTasks.layer), Layer.provide([DeliveryRepo.layer, WebhookRepo.layer]))

export const WebhooksLive = Layer.mergeAll(Layer.provide(WebhookDeliveries.layer, KnownKinds.layer), DeliveryOutcomesLive, WebhookEventsLive, WebhookMetrics).pipe(
  Layer.provideMerge(Webhooks.layer),
  Layer.provide([DeliveryTasks.layer, CircuitRepo.layer, EventMessagesLive]),
  Layer.provide([DeliveryRepo.layer, WebhookRepo.layer, WebhookSecretRepo.layer, urlPolicy])
)
