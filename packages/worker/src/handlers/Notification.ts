/**
 * Handles NOTIFICATION: sees to it that each channel takes the message. What is told within EngLog, the API tells when it accepts the
 * outcome, together with it.
 */
import { Notification, NotificationInput } from "@englog/domain/tasks/Notification"
import { Effect, Schema } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(NotificationInput))

export const notification = Effect.succeed(TaskHandler.make(Notification, (_payload, context) =>
  Effect.gen(function*() {
    const { channels, recipients } = yield* Effect.flatMap(context.data, decode).pipe(
      Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause)))
    )
    yield* context.progress(50, `Telling ${recipients} ${recipients === 1 ? "person" : "people"}`)
    return { delivered: channels.map((channel) => ({ channel, recipients })) }
  })))
