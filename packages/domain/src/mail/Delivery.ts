/** What became of one message to one address. */
import { Schema } from "effect"
import { DeliveryId, OrganizationId, SuppressionId, TaskId, UserId } from "../Ids.ts"
import { MailTemplate } from "./Mail.ts"

/**
 * `sending`: a worker was allowed to hand it to the mail server. `unknown`: that worker was never heard of again, or the mail server
 * never answered: it may have been sent, and is not sent again by itself. `bounced`: the mail server refused it for good, or said later that
 * it could not deliver it.
 */
export const DeliveryStatus = Schema.Literals(["queued", "sending", "sent", "bounced", "failed", "unknown", "not_configured"])
export type DeliveryStatus = typeof DeliveryStatus.Type

/** What may be sent again, by whoever asks for it. */
export const resendable: ReadonlySet<DeliveryStatus> = new Set(["bounced", "failed", "unknown", "not_configured"])

export class MailDelivery extends Schema.Class<MailDelivery>("MailDelivery")({
  id: DeliveryId,
  template: MailTemplate,
  status: DeliveryStatus,
  /** The address. */
  to: Schema.String,
  /** Whose it is: who caused it. */
  user_id: UserId,
  organization_id: OrganizationId,
  /** The task that sends it; null where there is none. */
  task_id: Schema.NullOr(TaskId),
  /** The mail server's answer, where it gave one: RFC 5321. */
  smtp_code: Schema.NullOr(Schema.Int),
  /** The enhanced code of a report that came later: RFC 3463. */
  status_code: Schema.NullOr(Schema.String),
  /** Its words, or why it was not sent. */
  response: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  sent_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** An address to which no e-mail is sent any more, because a mail server said that it takes none. */
export class MailSuppression extends Schema.Class<MailSuppression>("MailSuppression")({
  id: SuppressionId,
  /** Null: the last message to it is no longer kept. */
  address: Schema.NullOr(Schema.String),
  smtp_code: Schema.NullOr(Schema.Int),
  status_code: Schema.NullOr(Schema.String),
  noted_at: Schema.DateTimeUtcFromString
}) {}
