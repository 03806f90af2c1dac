/** NOTIFICATION (seed 001): tells people something, over one or several channels. The text travels sealed beside the payload. */
import { Schema } from "effect"
import { OrganizationId, UserId } from "../Ids.ts"
import { ChannelName, NotificationCategory } from "../notifications/Notification.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy, priorityOf } from "./TaskPolicy.ts"

/** Whom: one person, the members of an organization, or everybody. */
export const Audience = Schema.Union([
  Schema.Struct({ user_id: UserId }),
  Schema.Struct({ organization_id: OrganizationId }),
  Schema.Struct({ everybody: Schema.Literal(true) })
])
export type Audience = typeof Audience.Type

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What the worker is to see to. */
export const NotificationInput = Schema.Struct({ channels: Schema.Array(ChannelName), recipients: Count })

export const Notification = TaskKind.make({
  kind: "NOTIFICATION",
  payload: Schema.Struct({ audience: Audience, category: NotificationCategory, channels: Schema.Array(ChannelName) }),
  /** By channel, to how many people; by `webhook`, to how many endpoints. */
  result: Schema.Struct({ delivered: Schema.Array(Schema.Struct({ channel: ChannelName, recipients: Count })) }),
  policy: { ...backgroundPolicy, priority: priorityOf("high") },
  submittedBy: "/v1/notifications"
})
