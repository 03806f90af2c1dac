/** Notifications over RPC; see NotificationsApi. */
import { NotificationId } from "@englog/domain/Ids"
import { Notification } from "@englog/domain/notifications/Notification"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { NotificationPage, NotificationQuery, NotificationRequest, ReadNotifications } from "../http/NotificationsApi.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { StepNumber, TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: NotificationId }

export class NotificationRpcs extends RpcGroup.make(
  Rpc.make("SendNotification", { payload: NotificationRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ListNotifications", { payload: NotificationQuery, success: NotificationPage, error }),
  Rpc.make("MarkNotificationRead", { payload: id, success: Notification, error }),
  Rpc.make("MarkNotificationUnread", { payload: id, success: Notification, error }),
  Rpc.make("MarkAllNotificationsRead", { success: ReadNotifications, error }),
  /** Those after number `after` (default 0: all that are kept), then each as it comes. */
  Rpc.make("WatchNotifications", { payload: { after: Schema.optionalKey(StepNumber) }, success: Notification, error, stream: true })
).middleware(RpcAuthorization) {}
