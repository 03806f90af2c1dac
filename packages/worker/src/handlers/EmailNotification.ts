/**
 * Handles EMAIL_NOTIFICATION: makes the message, asks whether it may be sent, and hands it to the mail server. From the answer on
 * every outcome says whether the mail server has it; where that cannot be known, the task ends and nothing is sent again.
 */
import { renderMail } from "@englog/domain/mail/Templates"
import { EmailNotification, type EmailResult, Letter, notTaken } from "@englog/domain/tasks/EmailNotification"
import { Effect, Schema } from "effect"
import { type Answer, MailServer } from "../mail/MailServer.ts"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.NullOr(Letter)))

export const emailNotification = Effect.map(MailServer, (server) =>
  TaskHandler.make(EmailNotification, (_payload, context) =>
    Effect.gen(function*() {
      const letter = yield* Effect.flatMap(context.data, decode).pipe(
        Effect.catchTag("SchemaError", (cause) =>
          Effect.fail(
            new TaskHandler.TaskFailure({ message: "the API server sent task data that this worker does not understand; update the worker", cause })
          ))
      )
      if (letter === null) return withheld("there is nothing to send any more")
      const { message_id, to, unsubscribe_url } = letter
      const bytes = yield* server.compose({ to, message_id, unsubscribe_url, ...renderMail(letter.mail) }).pipe(
        Effect.mapError((cause) => new TaskHandler.TaskFailure({ message: "the message could not be composed", retryable: false, cause }))
      )
      yield* context.progress(50, "Handing it to the mail server")
      const permission = yield* context.begin
      if (!permission.granted) return withheld(permission.reason)
      const answer = yield* server.send(letter, bytes)
      yield* context.note({ operation: "mail_handed_over", answer: answer._tag })
      return yield* outcomeOf(answer)
    })))

const withheld = (reason: string): EmailResult => ({ status: "withheld", smtp_code: null, response: reason, undeliverable: false })

const outcomeOf = (answer: Answer): Effect.Effect<EmailResult, TaskHandler.TaskFailure> => {
  switch (answer._tag) {
    case "Taken":
      return Effect.succeed({ status: "sent", smtp_code: answer.code, response: answer.response, undeliverable: false })
    case "Refused":
      return Effect.succeed({ status: "bounced", smtp_code: answer.code, response: answer.response, undeliverable: answer.undeliverable })
    case "Unanswered":
      return Effect.succeed({ status: "unknown", smtp_code: null, response: answer.response, undeliverable: false })
    case "Deferred":
      return Effect.fail(new TaskHandler.TaskFailure({ message: notTaken(answer.code, answer.response) }))
  }
}
