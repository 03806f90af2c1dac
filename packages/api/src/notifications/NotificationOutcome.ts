/** What the API does for NOTIFICATION: it tells the holder of a task how many there are to tell, and tells them when it completes. */
import { Notice } from "@englog/domain/notifications/Notification"
import { Notification, NotificationInput } from "@englog/domain/tasks/Notification"
import { Effect, Layer, Schema } from "effect"
import { InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { Channels } from "./Channel.ts"
import { NotificationRepo } from "./NotificationRepo.ts"

/** Registers NOTIFICATION with the engine. */
export const NotificationOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const repo = yield* NotificationRepo
  const channels = yield* Channels

  yield* kinds.register({
    kind: Notification.kind,
    data: Effect.fn("NotificationOutcome.data")(function*({ payload }) {
      const { audience, channels } = yield* Effect.orDie(decodePayload(payload))
      const recipients = (yield* repo.readersOf(audience)).length
      return yield* Effect.orDie(encodeInput({ channels, recipients }))
    }),
    onCompleted: Effect.fn("NotificationOutcome.onCompleted")(function*({ organization_id, payload, private_input, task_id, user_id }, result) {
      yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const { audience, category, channels: wanted } = yield* Effect.orDie(decodePayload(payload))
      const notice = yield* Effect.orDie(decodeNotice(private_input ?? ""))
      const readers = yield* repo.readersOf(audience)
      const delivered = yield* Effect.forEach(wanted, (channel) =>
        Effect.map(
          channels.get(channel)?.deliver({ audience, category, notice, organization_id, sender_id: user_id, task_id }, readers) ?? Effect.succeed(0),
          (recipients) => ({ channel, recipients })
        ))
      return yield* Effect.orDie(encodeResult({ delivered }))
    })
  })
}))

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(Notification.payload))
const encodeInput = Schema.encodeEffect(Schema.fromJsonString(NotificationInput))
const decodeNotice = Schema.decodeEffect(Schema.fromJsonString(Notice))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(Notification.result))
const encodeResult = Schema.encodeEffect(Schema.fromJsonString(Notification.result))
