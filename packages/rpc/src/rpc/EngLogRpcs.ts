/**
 * Effect RPC of EngLog: what the REST API does, typed end to end and streaming. Served at `/rpc` (HTTP, ndjson) and
 * `/rpc-ws` (WebSocket), both with the access token of `/v1/auth/login` in the `authorization` header of each request.
 */
import { AnalyticsRpcs } from "./AnalyticsRpcs.ts"
import { BackgroundRpcs } from "./BackgroundRpcs.ts"
import { EntryRpcs } from "./EntryRpcs.ts"
import { InsightRpcs } from "./InsightRpcs.ts"
import { QueueRpcs } from "./QueueRpcs.ts"
import { ScheduleRpcs } from "./ScheduleRpcs.ts"
import { TaskRpcs } from "./TaskRpcs.ts"
import { WorkerRpcs } from "./WorkerRpcs.ts"

export const EngLogRpcs = EntryRpcs.merge(TaskRpcs, BackgroundRpcs, QueueRpcs, ScheduleRpcs, InsightRpcs, AnalyticsRpcs, WorkerRpcs)
