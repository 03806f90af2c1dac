/**
 * EMAIL_NOTIFICATION (seed 002): hands one message to the mail server. Only workers that have a mail server take it. Address and
 * text are not in the payload: they come with the task's data, while it is held.
 */
import { Schema } from "effect"
import { DeliveryId } from "../Ids.ts"
import { Mail } from "../mail/Mail.ts"
import * as TaskKind from "./TaskKind.ts"
import { type TaskPolicy, priorityOf } from "./TaskPolicy.ts"

/** Greylisting wants minutes, a mail server that is away may want hours: 1, 2, 4 … 60 minutes, for at most a day. */
export const mailPolicy: TaskPolicy = {
  queue: "default",
  priority: priorityOf("high"),
  attempt_timeout: 300_000,
  deadline: 86_400_000,
  retry: { max_retries: 12, base_delay: 60_000, backoff_factor: 2, max_delay: 3_600_000 }
}

const Response = Schema.String.check(Schema.isMaxLength(1_000))
const Code = Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 }))

export const EmailNotification = TaskKind.make({
  kind: "EMAIL_NOTIFICATION",
  payload: Schema.Struct({ delivery_id: DeliveryId }),
  /** `withheld`: an earlier attempt may have sent it. `unknown`: the mail server's answer to the message never came. */
  result: Schema.Struct({
    status: Schema.Literals(["sent", "bounced", "unknown", "withheld"]),
    smtp_code: Schema.NullOr(Code),
    response: Response,
    /** The mail server said that the address takes no mail at all. */
    undeliverable: Schema.Boolean
  }),
  policy: mailPolicy,
  submittedBy: "/v1/admin/mail/test"
})
export type EmailResult = typeof EmailNotification.result.Type

/** What a worker that holds the task is told; null instead where nothing is to be sent any more. */
export const Letter = Schema.Struct({
  to: Schema.String,
  /** Left of the @: the same for every attempt, so that two copies can be recognized as one (RFC 5322, 3.6.4). */
  message_id: Schema.String,
  mail: Mail,
  /** RFC 8058; null where this is nothing that one can have no more of. */
  unsubscribe_url: Schema.NullOr(Schema.String)
})
export type Letter = typeof Letter.Type

const NOT_TAKEN = "the mail server has not taken it"

/** The message of a failure after which the mail was certainly not sent. */
export const notTaken = (code: number | null, response: string): string =>
  `${NOT_TAKEN}: ${code === null ? "" : `${code} `}${response.slice(0, 900)}`

/** Undefined where the failure says nothing of the kind. */
export const parseNotTaken = (message: string): { readonly smtp_code: number | null; readonly response: string } | undefined => {
  if (!message.startsWith(`${NOT_TAKEN}: `)) return undefined
  const rest = message.slice(NOT_TAKEN.length + 2)
  const [, code, response] = /^(\d{3}) ([^]*)$/.exec(rest) ?? []
  return code === undefined || response === undefined ? { smtp_code: null, response: rest } : { smtp_code: Number(code), response }
}
