/** RPC of notifications: see NotificationRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { NotificationRpcs } from "@englog/rpc/rpc/NotificationRpcs"
import { Effect, Stream } from "effect"
import { accepted } from "../background/AcceptedMessage.ts"
import { orRpcFailure, streamCut } from "../rpc/RpcFailures.ts"
import { Notifications } from "./Notifications.ts"

export const NotificationRpcsLive = NotificationRpcs.toLayer(Effect.gen(function*() {
  const notifications = yield* Notifications
  return NotificationRpcs.of({
    SendNotification: (request) => CurrentUser.use((user) => Effect.map(orRpcFailure(notifications.send(user, request)), accepted)),
    ListNotifications: (query) => CurrentUser.use((user) => orRpcFailure(notifications.list(user, query))),
    MarkNotificationRead: ({ id }) => CurrentUser.use((user) => orRpcFailure(notifications.setRead(user, id, true))),
    MarkNotificationUnread: ({ id }) => CurrentUser.use((user) => orRpcFailure(notifications.setRead(user, id, false))),
    MarkAllNotificationsRead: () => CurrentUser.use((user) => Effect.map(orRpcFailure(notifications.readAll(user)), (read) => ({ read }))),
    WatchNotifications: ({ after = 0 }) =>
      Stream.unwrap(CurrentUser.use((user) => Effect.succeed(notifications.follow(user, after)))).pipe(Stream.mapError((error) => streamCut(error, "watch again after the last one")))
  })
}))
