/**
 * EMAIL_NOTIFICATION at the API's side: what a worker may read, the permission to send, and what became of it. Exactly once is
 * impossible with SMTP; this is at most once for each explicit wish (docs/decisions).
 */
import { EmailNotification, Letter, parseNotTaken } from "@englog/domain/tasks/EmailNotification"
import { preferenceOf } from "@englog/domain/mail/Mail"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Effect, Layer, Option, Schema } from "effect"
import { InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { MailRepo, type Sending } from "./MailRepo.ts"
import { SuppressionRepo } from "./SuppressionRepo.ts"
import { Unsubscribing } from "./Unsubscribing.ts"

export const MailOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const repo = yield* MailRepo
  const suppressions = yield* SuppressionRepo
  const { linkFor } = yield* Unsubscribing

  const sendingOf = ({ payload, task_id }: Pick<TaskLease, "payload" | "task_id">): Effect.Effect<Sending> =>
    Effect.map(Effect.orDie(decodePayload(payload)), ({ delivery_id }) => ({ id: delivery_id, task_id }))

  yield* kinds.register({
    kind: EmailNotification.kind,
    data: Effect.fn("MailOutcome.data")(function*(lease) {
      const sending = yield* sendingOf(lease)
      const found = yield* repo.letter(sending)
      if (Option.isNone(found)) return "null"
      const { mail, to, user_id } = found.value
      const preference = preferenceOf(mail.template)
      const unsubscribe_url = preference === undefined ? null : linkFor(user_id, preference)
      return yield* Effect.orDie(encodeLetter({ to, message_id: sending.id, mail, unsubscribe_url }))
    }),
    begin: Effect.fn("MailOutcome.begin")(function*(lease) {
      const granted = yield* repo.begin(yield* sendingOf(lease), lease.attempt)
      return { granted, reason: granted ? "" : "an earlier attempt may have sent it" }
    }),
    onFailed: Effect.fn("MailOutcome.onFailed")(function*(task, { final, message }) {
      const sending = yield* sendingOf(task)
      const word = parseNotTaken(message)
      yield* word === undefined
        ? repo.giveUp(sending, message.slice(0, 1_000), final)
        : repo.settle(sending, { status: final ? "failed" : "queued", ...word })
    }),
    onCompleted: Effect.fn("MailOutcome.onCompleted")(function*(task, result) {
      const handed = yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const sending = yield* sendingOf(task)
      const { response, smtp_code, status } = handed
      if (status !== "withheld") yield* repo.settle(sending, { status, smtp_code, response })
      if (status === "bounced" && handed.undeliverable) yield* suppressions.put(sending.id, { smtp_code, status_code: null })
      return JSON.stringify(handed)
    })
  })
}))

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(EmailNotification.payload))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(EmailNotification.result))
const encodeLetter = Schema.encodeEffect(Schema.fromJsonString(Letter))
