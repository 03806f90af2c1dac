/**
 * A way to tell people something. A channel delivers inside the transaction that completes the task: one that reaches outside
 * enlists tasks of its own kind there, so that nothing is told twice and nothing is lost.
 */
import type { UserId } from "@englog/domain/Ids"
import type { ChannelName } from "@englog/domain/notifications/Notification"
import { Context, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { Mails } from "../mail/Mails.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { EventMessages } from "../webhooks/EventMessages.ts"
import { type Message, NotificationRepo } from "./NotificationRepo.ts"

export interface Channel {
  readonly name: ChannelName
  /** Answers how many it told, or will. */
  readonly deliver: (message: Message, readers: ReadonlyArray<UserId>) => Effect.Effect<number, SqlError>
}

export class Channels extends Context.Service<Channels, ReadonlyMap<ChannelName, Channel>>()("@englog/api/notifications/Channels") {
  static readonly layer = Layer.effect(
    Channels,
    Effect.map(Effect.all([Effect.suspend(() => inApp), Effect.suspend(() => email), Effect.suspend(() => webhook)]), (channels) => new Map(channels.map((channel) => [channel.name, channel])))
  )
}

/** Lists the message, and wakes every stream of its readers once it is committed. */
const inApp = Effect.gen(function*() {
  const repo = yield* NotificationRepo
  const wakeups = yield* Wakeups
  const sql = yield* SqlClient.SqlClient
  const channel: Channel = {
    name: "in_app",
    deliver: Effect.fnUntraced(function*(message, readers) {
      const told = yield* repo.insert(message, readers)
      yield* sql.afterCommit(wakeups.wake(...told.map((user) => `notifications:${user}` as const)))
      return told.length
    })
  }
  return channel
})

/** Posts the message to each reader's address, unless they want none from their teams; what becomes of it there, the deliveries tell. */
const email = Effect.gen(function*() {
  const mails = yield* Mails
  const repo = yield* NotificationRepo
  const channel: Channel = {
    name: "email",
    deliver: Effect.fnUntraced(function*({ audience, notice: { body, link, title }, sender_id }, readers) {
      const url = link?.startsWith("https://") === true ? link : null
      const from = "organization_id" in audience ? yield* repo.speaker(sender_id, audience.organization_id) : undefined
      const posted = yield* Effect.forEach(readers, (reader) =>
        mails.postTo(reader, ({ first_name, preferences }) => {
          if (from === undefined) return { template: "notification", first_name, title, body, url }
          return preferences.email_team_notifications ? { template: "team_notification", first_name, ...from, title, body, url } : undefined
        }))
      return posted.filter(Option.isSome).length
    })
  }
  return channel
})

/** One message to each endpoint of the organization: with its text, because whoever sends it chose to tell them. */
const webhook = Effect.map(EventMessages, ({ tell }): Channel => ({
  name: "webhook",
  deliver: ({ category, notice, organization_id, sender_id, task_id }) =>
    tell(organization_id, { type: "notification.created", data: { ...notice, category, task_id, organization_id, user_id: sender_id } })
}))
