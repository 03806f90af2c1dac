/** Notifications (seed 001): what people are to know, listed and told to their connected clients at once. */
import { NotificationId, OrganizationId } from "@englog/domain/Ids"
import { ChannelName, Notification, NotificationCategory } from "@englog/domain/notifications/Notification"
import { Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { StreamEnd } from "./ErrorAnswer.ts"
import { BadRequest, Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { StartsTask } from "./StartsTask.ts"
import { LastEventId } from "./TasksApi.ts"
import { StepNumber, TaskAccepted } from "./TaskView.ts"

const Link = Schema.String.check(Schema.makeFilter<string>((text) => {
  if (text.length > 500) return "must be at most 500 characters long"
  return /^\/(?!\/)[\x21-\x7e]*$/.test(text) || (text.startsWith("https://") && URL.canParse(text)) ? undefined : "must be a path that begins with / or an https URL"
}, { expected: "a path or an https URL", toJsonSchema: () => [{ maxLength: 500 }, true] }))

export const NotificationRequest = Schema.Struct({
  title: TrimmedText({ min: 1, max: 200 }),
  body: Schema.optionalKey(Schema.NullOr(PlainText({ max: 5_000 }))),
  link: Schema.optionalKey(Schema.NullOr(Link)),
  category: Schema.optionalKey(NotificationCategory.annotate({ description: "By default an announcement." })),
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "A team that you lead: all of its members who have not decided otherwise in their preferences. By default yourself." })),
  everybody: Schema.optionalKey(Schema.Boolean.annotate({ description: "An announcement to all accounts, by an administrator." })),
  channels: Schema.optionalKey(Schema.Array(ChannelName).check(Schema.makeFilter<ReadonlyArray<string>>((channels) =>
    channels.length === 0 ? "must name at least one" : new Set(channels).size < channels.length ? "must not name one twice" : undefined, {
    expected: "at least one channel, each once", toJsonSchema: () => [{ minItems: 1, maxItems: ChannelName.literals.length, uniqueItems: true }, true]
  })).annotate({ description: "By default in_app: listed, and told to connected clients. `email`: to yourself, or to a team that you administer; see /v1/mail/deliveries. `webhook`: to the endpoints of your own organization, or of a team that you administer, as the event notification.created." }))
}).annotate({ identifier: "NotificationRequest" })
export type NotificationRequest = typeof NotificationRequest.Type

/** Their numbers are their own cursor. */
const Before = Schema.String.check(Schema.isPattern(/^\d{1,10}$/u, { expected: "`next_cursor` of the page before" })).annotate({ description: "`next_cursor` of the page before." }).pipe(
  Schema.decodeTo(StepNumber, SchemaTransformation.transform({ decode: Number, encode: String }))
)
const Flag = Schema.Literals(["true", "false"]).pipe(
  Schema.decodeTo(Schema.Boolean, SchemaTransformation.transform({ decode: (text) => text === "true", encode: (flag): "true" | "false" => flag ? "true" : "false" }))
)

export const NotificationQuery = Schema.Struct({
  unread: Schema.optionalKey(Flag.annotate({ description: "true: only those that were not read." })),
  limit: pageQuery.limit,
  cursor: Schema.optionalKey(Before)
})
export type NotificationQuery = typeof NotificationQuery.Type

export const NotificationPage = Schema.Struct({
  items: Schema.Array(Notification),
  next_cursor: Schema.NullOr(Schema.String),
  /** Of all of them. */
  unread: Schema.Int,
  /** The newest number: a stream after it tells what this list does not. */
  last_seq: Schema.Int
}).annotate({ identifier: "NotificationPage" })

export const ReadNotifications = Schema.Struct({ read: Schema.Int }).annotate({ identifier: "ReadNotifications" })

/** An SSE message: `event` is the category, `id` the number. The other events are those of a task's stream. */
export const NotificationSseEvent = Schema.Struct({
  id: Schema.optional(Schema.String),
  event: Schema.String,
  data: Schema.fromJsonString(Schema.Union([Notification, StreamEnd, Schema.Struct({ message: Schema.optionalKey(Schema.String) })]))
})

const params = { id: NotificationId }
const request = { title: "The release is out", body: "Version 2.1 is deployed everywhere.", link: "https://example.com/releases/2.1" }
const example = {
  id: "3b8a1c54-6f0e-4f3a-9a53-0f0e8f7f1c11",
  seq: 12,
  category: "announcement",
  ...request,
  sender_id: "dd72f29f-a51b-4a2d-add8-496537c8e078",
  task_id: "notification_dd72f29f-a51b-4a2d-add8-496537c8e078_1754042400_01987e2f5a4c00005f21c1df3a33d005",
  created_at: "2026-01-05T08:00:00.000Z",
  read_at: null
}

export class NotificationsApi extends HttpApiGroup.make("notifications").add(
  HttpApiEndpoint.post("send", "/v1/notifications", {
    payload: NotificationRequest,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Conflict, Forbidden, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Tell yourself, a team or everybody something",
    description: "A task delivers it, once to each reader; its result says to how many. A team is told of 20 things in an hour, 5 a day of them by e-mail.",
    transform: examples({ request, response: { task_id: example.task_id, message: "Task queued successfully" } })
  })),
  HttpApiEndpoint.get("list", "/v1/notifications", { query: NotificationQuery, success: NotificationPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List your notifications, newest first",
      description: "They are kept for 90 days.",
      transform: examples({ response: { items: [example], next_cursor: null, unread: 1, last_seq: 12 } })
    })),
  HttpApiEndpoint.get("stream", "/v1/notifications/stream", {
    headers: { "last-event-id": LastEventId },
    success: HttpApiSchema.StreamSse({ events: NotificationSseEvent })
  }).annotateMerge(OpenApi.annotations({
    summary: "Follow your notifications (server-sent events)",
    description: "All of them from the first that is kept, or those after `Last-Event-ID`, such as `last_seq` of the list; then each as it comes. "
      + "`reset` says that some in between are not kept any more. A stream that ends with the event `stopping` or `unauthorized` says `code` and "
      + "`details` as errors do.",
    transform: examples({ response: { id: "12", event: "announcement", data: JSON.stringify(example) } })
  })),
  HttpApiEndpoint.post("read", "/v1/notifications/:id/read", { params, success: Notification, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Mark one as read", description: "Read once, it keeps the time.", transform: examples({ response: { ...example, read_at: "2026-01-05T09:00:00.000Z" } }) })),
  HttpApiEndpoint.post("unread", "/v1/notifications/:id/unread", { params, success: Notification, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Mark one as unread", description: "As if it had not been seen.", transform: examples({ response: example }) })),
  HttpApiEndpoint.post("readAll", "/v1/notifications/read", { success: ReadNotifications })
    .annotateMerge(OpenApi.annotations({ summary: "Mark all as read", description: "All that there are at this moment; answers how many were unread.", transform: examples({ response: { read: 3 } }) }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Notifications",
  description: "What people are to know."
})) {}
