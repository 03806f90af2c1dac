/** What somebody is to know: an alert, or an announcement to many. Read or not, it stays for 90 days. */
import { Schema } from "effect"
import { NotificationId, TaskId, UserId } from "../Ids.ts"

export const NotificationCategory = Schema.Literals(["alert", "announcement"])
export type NotificationCategory = typeof NotificationCategory.Type

/**
 * Ways to tell somebody. `in_app`: listed, and told to all of their connected clients at once. `email`: oneself, or the members of a
 * team. `webhook`: the endpoints of the organization, not its people.
 */
export const ChannelName = Schema.Literals(["in_app", "email", "webhook"])
export type ChannelName = typeof ChannelName.Type

export class Notification extends Schema.Class<Notification>("Notification")({
  id: NotificationId,
  /** Its number among its reader's, from 1, without gaps: a stream goes on after it. */
  seq: Schema.Int,
  category: NotificationCategory,
  title: Schema.String,
  body: Schema.NullOr(Schema.String),
  /** A path of this API, or an https URL. */
  link: Schema.NullOr(Schema.String),
  /** Who sent it; null where they are gone. */
  sender_id: Schema.NullOr(UserId),
  /** The task that delivered it. */
  task_id: TaskId,
  created_at: Schema.DateTimeUtcFromString,
  read_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** The text of a notification, which travels sealed. */
export const Notice = Schema.Struct({ title: Schema.String, body: Schema.NullOr(Schema.String), link: Schema.NullOr(Schema.String) })
export type Notice = typeof Notice.Type
