/**
 * Effect RPC of EngLog: what the REST API does, typed end to end and streaming. Served at `/rpc` (HTTP, ndjson) and
 * `/rpc-ws` (WebSocket), both with the access token of `/v1/auth/login` or an API token in the `authorization` header of each
 * request.
 */
import { AccountRpcs } from "./AccountRpcs.ts"
import { AnalyticsRpcs } from "./AnalyticsRpcs.ts"
import { BackgroundRpcs } from "./BackgroundRpcs.ts"
import { DocumentRpcs } from "./DocumentRpcs.ts"
import { EntryRpcs } from "./EntryRpcs.ts"
import { ExportRpcs } from "./ExportRpcs.ts"
import { GoalRpcs } from "./GoalRpcs.ts"
import { ImportRpcs } from "./ImportRpcs.ts"
import { InsightRpcs } from "./InsightRpcs.ts"
import { IntegrationRpcs } from "./IntegrationRpcs.ts"
import { JobRpcs } from "./JobRpcs.ts"
import { MailRpcs } from "./MailRpcs.ts"
import { N8nRpcs } from "./N8nRpcs.ts"
import { NotificationRpcs } from "./NotificationRpcs.ts"
import { ProjectRpcs } from "./ProjectRpcs.ts"
import { QueueRpcs } from "./QueueRpcs.ts"
import { ScheduleRpcs } from "./ScheduleRpcs.ts"
import { SuggestionRpcs } from "./SuggestionRpcs.ts"
import { TagRpcs } from "./TagRpcs.ts"
import { TaskRpcs } from "./TaskRpcs.ts"
import { TeamRpcs } from "./TeamRpcs.ts"
import { WebhookRpcs } from "./WebhookRpcs.ts"
import { WorkerRpcs } from "./WorkerRpcs.ts"

export const EngLogRpcs = EntryRpcs.merge(ProjectRpcs, TagRpcs, TeamRpcs, GoalRpcs, ExportRpcs, TaskRpcs, BackgroundRpcs, QueueRpcs, ScheduleRpcs, InsightRpcs, AnalyticsRpcs, WorkerRpcs, AccountRpcs, JobRpcs, MailRpcs)
  .merge(IntegrationRpcs, N8nRpcs, NotificationRpcs, ImportRpcs, SuggestionRpcs, DocumentRpcs, WebhookRpcs)
