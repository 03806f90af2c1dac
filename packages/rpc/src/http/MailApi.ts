/** E-mail: what became of each message, sending one again, and what the templates look like. */
import { DeliveryId, SuppressionId } from "@englog/domain/Ids"
import { DeliveryStatus, MailDelivery, MailSuppression } from "@englog/domain/mail/Delivery"
import { MailTemplate } from "@englog/domain/mail/Mail"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText } from "./PlainText.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { TaskAccepted } from "./TaskView.ts"

export const DeliveryPage = Page(MailDelivery).annotate({ identifier: "MailDeliveryPage" })

export const DeliveriesQuery = Schema.Struct({
  status: Schema.optionalKey(DeliveryStatus.annotate({ description: "Only those that are in this state." })),
  everybody: Schema.optionalKey(Schema.Literals(["true", "false"]).annotate({ description: "Not only your own; for administrators." })),
  ...pageQuery
})
export type DeliveriesQuery = typeof DeliveriesQuery.Type

export const SuppressionPage = Page(MailSuppression).annotate({ identifier: "MailSuppressionPage" })

export const SuppressionsQuery = Schema.Struct({
  everybody: Schema.optionalKey(Schema.Literals(["true", "false"]).annotate({ description: "Not only your own address; for administrators." })),
  ...pageQuery
})
export type SuppressionsQuery = typeof SuppressionsQuery.Type

/** Characters: a report is small, the message that it returns may be long; a request of as many fits whatever they are. */
export const MAX_BOUNCE = 250_000

export const BounceReport = Schema.Struct({
  message: PlainText({ min: 1, max: MAX_BOUNCE }).annotate({ description: "The whole message as it came, head and body: a delivery status notification (RFC 3464)." })
}).annotate({ identifier: "BounceReport" })
export type BounceReport = typeof BounceReport.Type

/** The message itself, as a mail program's pipe has it. */
export const RawBounce = PlainText({ min: 1, max: MAX_BOUNCE }).pipe(HttpApiSchema.asText({ contentType: "message/rfc822" }))

export const RecordedBounce = Schema.Struct({
  /** Null: it is about no message of this installation, or one that is no longer kept. */
  delivery_id: Schema.NullOr(DeliveryId),
  action: Schema.Literals(["failed", "delayed", "delivered", "relayed", "expanded"]),
  status_code: Schema.String,
  /** Whether it changed what is known of the message; the same report once more does not. */
  recorded: Schema.Boolean,
  /** Nothing more is sent to the address. */
  suppressed: Schema.Boolean
}).annotate({ identifier: "RecordedBounce" })
export type RecordedBounce = typeof RecordedBounce.Type

/** With the sample of its template. */
export const MailPreview = Schema.Struct({
  template: MailTemplate,
  subject: Schema.String,
  html: Schema.String,
  text: Schema.String
}).annotate({ identifier: "MailPreview" })
export type MailPreview = typeof MailPreview.Type

/** A handful: one page. */
export const MailPreviewList = Schema.Struct({ items: Schema.Array(MailPreview), next_cursor: Schema.Null }).annotate({ identifier: "MailPreviewList" })

const params = { id: DeliveryId }
const example = {
  id: "5f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c20",
  template: "weekly_report",
  status: "sent",
  to: "ada@example.com",
  user_id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  organization_id: "b3c08a55-4dcb-4869-8066-7c49475e379f",
  task_id: "mail_d8c8aa81-59cb-45ab-8eb3-6042c84498fd_1768208400_0065a1c0de0000010123456789abcdef",
  smtp_code: 250,
  status_code: null,
  response: "250 2.0.0 OK: queued as 4XyZ",
  created_at: "2026-01-12T08:00:00.000Z",
  updated_at: "2026-01-12T08:00:02.000Z",
  sent_at: "2026-01-12T08:00:02.000Z"
}
const suppression = {
  id: "0b7e4c1a-3a5f-4f0e-8a53-0f0e8f7f1c11",
  address: "ada@example.com",
  smtp_code: 550,
  status_code: "5.1.1",
  noted_at: "2026-01-12T08:05:00.000Z"
}
const report = {
  message: `Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n`
    + `Final-Recipient: rfc822; ada@example.com\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <${example.id}@example.com>\n\n--b--\n`
}
const preview = {
  template: "password_changed",
  subject: "Your EngLog password was changed",
  html: "<!doctype html>…",
  text: "Hello Ada,\n\nThe password of your EngLog account was changed …"
}
const TemplateName = PlainText({ min: 1, max: 50 })

export class MailApi extends HttpApiGroup.make("mail").add(
  HttpApiEndpoint.get("list", "/v1/mail/deliveries", { query: DeliveriesQuery, success: DeliveryPage, error: [BadRequest, Forbidden] })
    .annotateMerge(OpenApi.annotations({
      summary: "List e-mails with what became of them, newest first",
      description: "Those that you caused; the address may be somebody else's, as with an invitation. Kept for 90 days.",
      transform: examples({ response: { items: [example], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/mail/deliveries/:id", { params, success: MailDelivery, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "What became of an e-mail",
      description: "One that you caused.",
      transform: examples({ response: example })
    })),
  HttpApiEndpoint.post("resend", "/v1/mail/deliveries/:id/resend", {
    params,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [NotFound, Conflict]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Send an e-mail again",
    description: "One that bounced, failed or could not be sent, or of which it is unknown whether it was: then its recipient may get it twice, with the same Message-ID.",
    transform: examples({ response: { task_id: example.task_id, message: "E-mail queued successfully" } })
  })),
  HttpApiEndpoint.get("suppressions", "/v1/mail/suppressions", { query: SuppressionsQuery, success: SuppressionPage, error: [BadRequest, Forbidden] })
    .annotateMerge(OpenApi.annotations({
      summary: "List addresses to which no e-mail is sent, newest first",
      description: "Your own, because a mail server said that there is no such address; administrators see all.",
      transform: examples({ response: { items: [suppression], next_cursor: null } })
    })),
  HttpApiEndpoint.delete("removeSuppression", "/v1/mail/suppressions/:id", { params: { id: SuppressionId }, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Send e-mail to an address again",
      description: "Your own; an administrator any. What comes back from there puts it on the list again."
    })),
  HttpApiEndpoint.post("bounce", "/v1/mail/bounces", { payload: [BounceReport, RawBounce], success: RecordedBounce, error: [BadRequest, Forbidden] })
    .annotate(RequiredScope, "bounces").annotateMerge(OpenApi.annotations({
      summary: "Hand in a message that reports a bounce (administrators)",
      description: "For whatever reads the mailbox of MAIL_FROM: an API token with the scope `bounces`, or an administrator. The message that it is about is known by its Message-ID.",
      transform: examples({ request: report, text: report.message, response: { delivery_id: example.id, action: "failed", status_code: "5.1.1", recorded: true, suppressed: true } })
    })),
  HttpApiEndpoint.post("test", "/v1/admin/mail/test", { success: MailDelivery.pipe(HttpApiSchema.status(202)), error: [Forbidden, NotFound] })
    .annotate(StartsTask, true).annotate(RequiredScope, "admin").annotateMerge(OpenApi.annotations({
      summary: "Send a test e-mail to your own address (administrators)",
      description: "By the way that every other e-mail goes.",
      transform: examples({ response: { ...example, template: "test", status: "queued", smtp_code: null, response: null, sent_at: null } })
    })),
  HttpApiEndpoint.get("templates", "/v1/admin/mail/templates", { success: MailPreviewList, error: Forbidden })
    .annotate(RequiredScope, "admin").annotateMerge(OpenApi.annotations({
      summary: "Preview every template with sample data (administrators)",
      description: "All of them, on one page.",
      transform: examples({ response: { items: [preview], next_cursor: null } })
    })),
  HttpApiEndpoint.get("preview", "/v1/admin/mail/templates/:template", { params: { template: TemplateName }, success: MailPreview, error: [Forbidden, NotFound] })
    .annotate(RequiredScope, "admin").annotateMerge(OpenApi.annotations({
      summary: "Preview a template with sample data (administrators)",
      description: "Subject, text and HTML as they would be sent.",
      transform: examples({ response: preview })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "E-mail",
  description: "What became of each e-mail. It is sent at most once; where it cannot be known whether it was, it is `unknown` and is sent again only by your wish."
})) {}
