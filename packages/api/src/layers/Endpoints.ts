/** All that is served: the REST API and the RPCs, each noun by its own handlers. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AccountHttp } from "../account/AccountHttp.ts"
import { AccountRpcsLive } from "../account/AccountRpcsLive.ts"
import { AnalyticsHttp } from "../analytics/AnalyticsHttp.ts"
import { AnalyticsRpcsLive } from "../analytics/AnalyticsRpcsLive.ts"
import { AuthHttp } from "../auth/AuthHttp.ts"
import { AuthorizationLive } from "../auth/AuthorizationLive.ts"
import { RpcAuthorizationLive } from "../auth/RpcAuthorizationLive.ts"
import { BackgroundHttp } from "../background/BackgroundHttp.ts"
import { BackgroundRpcsLive } from "../background/BackgroundRpcsLive.ts"
import { DeadLettersHttp } from "../background/DeadLettersHttp.ts"
import { QueueRpcsLive } from "../background/QueueRpcsLive.ts"
import { BackgroundHealthHttp, QueuesHttp } from "../background/QueuesHttp.ts"
import { WorkerRpcsLive } from "../cluster/WorkerRpcsLive.ts"
import { WorkersHttp } from "../cluster/WorkersHttp.ts"
import { DocumentRpcsLive } from "../documents/DocumentRpcsLive.ts"
import { DocumentsHttp } from "../documents/DocumentsHttp.ts"
import { DocumentUploadsHttp } from "../documents/DocumentUploadsHttp.ts"
import { EntriesHttp } from "../entries/EntriesHttp.ts"
import { EntryRpcsLive } from "../entries/EntryRpcsLive.ts"
import { ExportRpcsLive } from "../exports/ExportRpcsLive.ts"
import { ExportsHttp, FeedsHttp, PdfHttp } from "../exports/ExportsHttp.ts"
import { GoalRpcsLive } from "../goals/GoalRpcsLive.ts"
import { GoalsHttp } from "../goals/GoalsHttp.ts"
import { RequestErrorsLive } from "../http/errors/RequestErrorsLive.ts"
import { HealthHttp } from "../http/health/HealthHttp.ts"
import { IdempotentLive } from "../idempotency/IdempotentLive.ts"
import { ImportRpcsLive } from "../imports/ImportRpcsLive.ts"
import { ImportsHttp, InboxHttp } from "../imports/ImportsHttp.ts"
import { InsightRpcsLive } from "../insights/InsightRpcsLive.ts"
import { InsightsHttp } from "../insights/InsightsHttp.ts"
import { IntegrationRpcsLive } from "../integrations/IntegrationRpcsLive.ts"
import { IntegrationsHttp } from "../integrations/IntegrationsHttp.ts"
import { JobRpcsLive } from "../jobs/JobRpcsLive.ts"
import { JobsHttp } from "../jobs/JobsHttp.ts"
import { MailHttp } from "../mail/MailHttp.ts"
import { MailRpcsLive } from "../mail/MailRpcsLive.ts"
import { N8nHttp } from "../n8n/N8nHttp.ts"
import { N8nRpcsLive } from "../n8n/N8nRpcsLive.ts"
import { NotificationRpcsLive } from "../notifications/NotificationRpcsLive.ts"
import { NotificationsHttp } from "../notifications/NotificationsHttp.ts"
import { ProjectRpcsLive } from "../projects/ProjectRpcsLive.ts"
import { ProjectsHttp } from "../projects/ProjectsHttp.ts"
import { RpcEndpoints } from "../rpc/RpcEndpoints.ts"
import { ScheduleRpcsLive } from "../schedules/ScheduleRpcsLive.ts"
import { SchedulesHttp } from "../schedules/SchedulesHttp.ts"
import { SuggestionRpcsLive } from "../suggestions/SuggestionRpcsLive.ts"
import { SuggestionsHttp } from "../suggestions/SuggestionsHttp.ts"
import { TagRpcsLive } from "../tags/TagRpcsLive.ts"
import { TagsHttp } from "../tags/TagsHttp.ts"
import { TaskRpcsLive } from "../tasks/TaskRpcsLive.ts"
import { TasksHttp } from "../tasks/TasksHttp.ts"
import { TeamRpcsLive } from "../teams/TeamRpcsLive.ts"
import { TeamsHttp } from "../teams/TeamsHttp.ts"
import { WebhookRpcsLive } from "../webhooks/WebhookRpcsLive.ts"
import { WebhooksHttp } from "../webhooks/WebhooksHttp.ts"

export const RestEndpoints = HttpApiBuilder.layer(EngLogApi).pipe(
  Layer.provide([AuthHttp.layer, EntriesHttp.layer, ProjectsHttp.layer, TasksHttp, InsightsHttp, SuggestionsHttp, WorkersHttp, HealthHttp.layer]),
  Layer.provide([TagsHttp, TeamsHttp, GoalsHttp, AnalyticsHttp, ExportsHttp, FeedsHttp, PdfHttp]),
  Layer.provide([AccountHttp, MailHttp, JobsHttp, BackgroundHttp, SchedulesHttp, DeadLettersHttp, QueuesHttp, BackgroundHealthHttp]),
  Layer.provide([IntegrationsHttp, N8nHttp, NotificationsHttp, ImportsHttp, InboxHttp, DocumentsHttp, DocumentUploadsHttp, WebhooksHttp]),
  Layer.provide([AuthorizationLive, IdempotentLive, RequestErrorsLive])
)

export const RpcsLive = RpcEndpoints.pipe(
  Layer.provide([ProjectRpcsLive, TagRpcsLive, TeamRpcsLive, GoalRpcsLive, ExportRpcsLive, AnalyticsRpcsLive, AccountRpcsLive, MailRpcsLive, JobRpcsLive]),
  Layer.provide([EntryRpcsLive, TaskRpcsLive, BackgroundRpcsLive, QueueRpcsLive, ScheduleRpcsLive, InsightRpcsLive, WorkerRpcsLive]),
  Layer.provide([IntegrationRpcsLive, N8nRpcsLive, NotificationRpcsLive, ImportRpcsLive, SuggestionRpcsLive, DocumentRpcsLive, WebhookRpcsLive]),
  Layer.provide(RpcAuthorizationLive)
)
