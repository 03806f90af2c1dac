/** What people are told, and by which channels. */
import { Layer } from "effect"
import { Channels } from "../notifications/Channel.ts"
import { NotificationOutcomeLive } from "../notifications/NotificationOutcome.ts"
import { NotificationRepo } from "../notifications/NotificationRepo.ts"
import { Notifications } from "../notifications/Notifications.ts"
import { EventMessagesLive } from "./WebhooksLive.ts"

export const NotificationsLive = Layer.mergeAll(Notifications.layer, Layer.provide(NotificationOutcomeLive, Layer.provide(Channels.layer, EventMessagesLive))).pipe(
  Layer.provide(NotificationRepo.layer)
)
