/**
 * Effect RPC of EngLog: what the REST API does, typed end to end and streaming. Served at `/rpc` (HTTP, ndjson) and
 * `/rpc-ws` (WebSocket), both with the access token of `/v1/auth/login` or an API token in the `authorization` header of each
 * request.
 */
import { AccountRpcs } from "./AccountRpcs.ts"
import { AnalyticsRpcs } from "./AnalyticsRpcs.ts"
import { BackgroundRpcs } from "./BackgroundRpcs.ts"
import { EntryRpcs } from "./EntryRpcs.ts"
import { GoalRpcs } from "./GoalRpcs.ts"
import { InsightRpcs } from "./InsightRpcs.ts"
import { JobRpcs } from "./JobRpcs.ts"
import { ProjectRpcs } from "./ProjectRpcs.ts"
import { QueueRpcs } from "./QueueRpcs.ts"
import { ScheduleRpcs } from "./ScheduleRpcs.ts"
import { TagRpcs } from "./TagRpcs.ts"
import { TaskRpcs } from "./TaskRpcs.ts"
import { TeamRpcs } from "./TeamRpcs.ts"
import { WorkerRpcs } from "./WorkerRpcs.ts"

export const EngLogRpcs = EntryRpcs.merge(ProjectRpcs, TagRpcs, TeamRpcs, GoalRpcs, TaskRpcs, BackgroundRpcs, QueueRpcs, ScheduleRpcs, InsightRpcs, AnalyticsRpcs, WorkerRpcs, AccountRpcs, JobRpcs)
