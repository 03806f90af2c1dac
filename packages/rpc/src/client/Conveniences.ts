/**
 * Functions that submit what an endpoint of its own takes (seed 002's convenience functions), and answer tasks that know the
 * type of their result.
 */
import { DataAnalysis } from "@englog/domain/tasks/DataAnalysis"
import { ExternalSync } from "@englog/domain/tasks/ExternalSync"
import { Notification } from "@englog/domain/tasks/Notification"
import { DeliveryResult, WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import { Effect } from "effect"
import type { RpcClient, RpcClientError } from "effect/rpc"
import type { DailyAnalyticsQuery } from "../http/IntegrationsApi.ts"
import type { N8nSyncRequest, N8nTriggerRequest } from "../http/N8nSyncRequest.ts"
import type { NotificationRequest } from "../http/NotificationsApi.ts"
import type { WebhookDeliveryRequest } from "../http/WebhookPayload.ts"
import type { EngLogRpcs } from "../rpc/EngLogRpcs.ts"
import type { CallFailure, SubmittedTask, TypedTasks } from "./TypedTasks.ts"

export interface Conveniences {
  /** Rolls up the days of a period now and every night; the task of its newest part. */
  readonly submitDailyAnalytics: (query?: DailyAnalyticsQuery) => Effect.Effect<SubmittedTask<typeof DataAnalysis.result.Type>, CallFailure>
  readonly submitN8nSync: (request: N8nSyncRequest) => Effect.Effect<SubmittedTask<typeof ExternalSync.result.Type>, CallFailure>
  readonly submitNotification: (request: NotificationRequest) => Effect.Effect<SubmittedTask<typeof Notification.result.Type>, CallFailure>
  /** A message to a URL that is named once; its result is the answer that accepted it. */
  readonly submitWebhookDelivery: (request: WebhookDeliveryRequest) => Effect.Effect<SubmittedTask<typeof DeliveryResult.Type>, CallFailure>
  readonly triggerN8nWorkflow: (request: N8nTriggerRequest) => Effect.Effect<SubmittedTask<typeof ExternalSync.result.Type>, CallFailure>
}

type Calls = Pick<
  RpcClient.FromGroup<typeof EngLogRpcs, RpcClientError.RpcClientError>,
  "ScheduleDailyAnalytics" | "SyncWithN8n" | "TriggerN8n" | "SendNotification" | "SubmitWebhookDelivery"
>

export const conveniences = (calls: Calls, { submitted }: TypedTasks): Conveniences => ({
  submitDailyAnalytics: (query = {}) => Effect.map(calls.ScheduleDailyAnalytics(query), ({ task_id }) => submitted(DataAnalysis, task_id)),
  submitN8nSync: (request) => Effect.map(calls.SyncWithN8n(request), ({ task_id }) => submitted(ExternalSync, task_id)),
  submitNotification: (request) => Effect.map(calls.SendNotification(request), ({ task_id }) => submitted(Notification, task_id)),
  submitWebhookDelivery: (request) =>
    Effect.map(calls.SubmitWebhookDelivery(request), ({ task_id }) => submitted({ ...WebhookDelivery, result: DeliveryResult }, task_id)),
  triggerN8nWorkflow: (request) => Effect.map(calls.TriggerN8n(request), ({ task_id }) => submitted(ExternalSync, task_id))
})
