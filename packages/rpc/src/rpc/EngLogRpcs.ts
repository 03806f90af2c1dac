/**
 * Effect RPC of EngLog: what the REST API does, typed end to end and streaming. Served at `/rpc` (HTTP, ndjson) and
 * `/rpc-ws` (WebSocket), both with the access token of `/v1/auth/login` in the `authorization` header of each request.
 */
import { LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId, InsightId, TaskId } from "@englog/domain/Ids"
import { Insight } from "@englog/domain/insights/Insight"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { EntryPage, entryFilter } from "../http/EntriesApi.ts"
import { EntryPayload } from "../http/EntryPayload.ts"
import { InsightPage, insightQuery } from "../http/InsightsApi.ts"
import { pageQuery } from "../http/Page.ts"
import { InsightTaskRequest, ReportTaskRequest, TaskAccepted, TaskResultView, TaskStep, TaskView } from "../http/TaskView.ts"
import { WorkersHealth, WorkerView } from "../http/WorkersApi.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const task = { task_id: TaskId }
const entry = { id: EntryId }

export class EngLogRpcs extends RpcGroup.make(
  Rpc.make("SubmitInsight", { payload: InsightTaskRequest, success: TaskAccepted, error }),
  Rpc.make("SubmitReport", { payload: ReportTaskRequest, success: TaskAccepted, error }),
  Rpc.make("GetTask", { payload: task, success: TaskView, error }),
  Rpc.make("GetTaskResult", { payload: task, success: TaskResultView, error }),
  Rpc.make("CancelTask", { payload: task, success: TaskView, error }),
  /** Every step after `after` (default 0: all), until the task has ended. */
  Rpc.make("WatchTask", { payload: { ...task, after: Schema.optionalKey(Schema.Int) }, success: TaskStep, error, stream: true }),
  Rpc.make("ListInsights", { payload: insightQuery.fields, success: InsightPage, error }),
  Rpc.make("GetInsight", { payload: { id: InsightId }, success: Insight, error }),
  Rpc.make("ListWorkers", { success: Schema.Array(WorkerView), error }),
  Rpc.make("GetWorkersHealth", { success: WorkersHealth, error }),
  Rpc.make("CreateEntry", { payload: EntryPayload, success: LogEntry, error }),
  Rpc.make("ListEntries", { payload: { ...entryFilter, ...pageQuery }, success: EntryPage, error }),
  Rpc.make("GetEntry", { payload: entry, success: LogEntry, error }),
  Rpc.make("UpdateEntry", { payload: { ...entry, entry: EntryPayload }, success: LogEntry, error }),
  Rpc.make("DeleteEntry", { payload: entry, error })
).middleware(RpcAuthorization) {}
