/** `/v1/notifications`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { accepted } from "../background/AcceptedMessage.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { numberedSse } from "../tasks/TaskSse.ts"
import { Notifications } from "./Notifications.ts"

export const NotificationsHttp = HttpApiBuilder.group(EngLogApi, "notifications", Effect.fn(function*(handlers) {
  const notifications = yield* Notifications
  return handlers.handleAll({
    send: ({ payload }) => CurrentUser.use((user) => Effect.map(orUnavailable(notifications.send(user, payload)), accepted)),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(notifications.list(user, query))),
    stream: Effect.fnUntraced(function*({ headers }) {
      const after = headers["last-event-id"] ?? 0
      return numberedSse(notifications.follow(yield* CurrentUser, after), after, ({ category }) => category)
    }),
    read: ({ params }) => CurrentUser.use((user) => orUnavailable(notifications.setRead(user, params.id, true))),
    unread: ({ params }) => CurrentUser.use((user) => orUnavailable(notifications.setRead(user, params.id, false))),
    readAll: () => CurrentUser.use((user) => Effect.map(orUnavailable(notifications.readAll(user)), (read) => ({ read })))
  })
}))
