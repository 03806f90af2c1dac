/** E-mail over RPC; see MailApi. */
import { DeliveryId, SuppressionId } from "@englog/domain/Ids"
import { MailDelivery } from "@englog/domain/mail/Delivery"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { BounceReport, DeliveriesQuery, DeliveryPage, MailPreview, MailPreviewList, RecordedBounce, SuppressionPage, SuppressionsQuery } from "../http/MailApi.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: DeliveryId }

export class MailRpcs extends RpcGroup.make(
  Rpc.make("ListMailDeliveries", { payload: DeliveriesQuery, success: DeliveryPage, error }),
  Rpc.make("GetMailDelivery", { payload: id, success: MailDelivery, error }),
  Rpc.make("ResendMail", { payload: id, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ListMailSuppressions", { payload: SuppressionsQuery, success: SuppressionPage, error }),
  Rpc.make("RemoveMailSuppression", { payload: { id: SuppressionId }, error }),
  Rpc.make("ReportMailBounce", { payload: BounceReport, success: RecordedBounce, error }).annotate(RequiredScope, "bounces"),
  Rpc.make("SendTestMail", { success: MailDelivery, error }).annotate(StartsTask, true).annotate(RequiredScope, "admin"),
  Rpc.make("ListMailTemplates", { success: MailPreviewList, error }).annotate(RequiredScope, "admin"),
  Rpc.make("GetMailTemplate", { payload: { template: Schema.String }, success: MailPreview, error }).annotate(RequiredScope, "admin")
).middleware(RpcAuthorization) {}
