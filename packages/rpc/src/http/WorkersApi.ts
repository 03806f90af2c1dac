/**
 * The worker cluster as an operator sees it (seed 001, "Worker Status Endpoints").
 */
import { WorkerId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { Forbidden, NotFound } from "./HttpErrors.ts"
import { Page } from "./Page.ts"
import { examples } from "./Examples.ts"
import { RequiredScope } from "./RequiredScope.ts"
import * as Example from "./TaskExamples.ts"

export class WorkerView extends Schema.Class<WorkerView>("WorkerView")({
  worker_id: WorkerId,
  worker_name: Schema.String,
  version: Schema.String,
  /** `paused`: by an operator; `disconnected`: its stream is broken; it may still come back and keeps its tasks for a few seconds. */
  status: Schema.Literals(["idle", "busy", "paused", "draining", "unhealthy", "disconnected"]),
  /** Whatever its status: once it is back it gets nothing either. */
  paused: Schema.Boolean,
  kinds: Schema.Array(Schema.String),
  queues: Schema.Array(Schema.String),
  max_concurrent_tasks: Schema.Int,
  protocol: Schema.Int,
  active_tasks: Schema.Int,
  completed_tasks: Schema.Int,
  failed_tasks: Schema.Int,
  /** 0..1 of one core. */
  cpu_usage: Schema.Finite,
  /** MiB resident. */
  memory_usage: Schema.Finite,
  registered_at: Schema.DateTimeUtcFromString,
  last_heartbeat_at: Schema.DateTimeUtcFromString
}) {}

export class WorkersHealth extends Schema.Class<WorkersHealth>("WorkersHealth")({
  /** `unhealthy`: nobody takes tasks; `degraded`: some worker does not, or tasks wait that nobody could take. */
  status: Schema.Literals(["healthy", "degraded", "unhealthy"]),
  total_workers: Schema.Int,
  healthy_workers: Schema.Int,
  capacity: Schema.Int,
  active_tasks: Schema.Int,
  queued_tasks: Schema.Int,
  timestamp: Schema.DateTimeUtcFromString
}) {}

export const WorkerIntake = Schema.Struct({ worker_id: WorkerId, paused: Schema.Boolean }).annotate({ identifier: "WorkerIntake" })

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export class QueueDemand extends Schema.Class<QueueDemand>("QueueDemand")({
  queue: Schema.String,
  /** Tasks that could run now. */
  depth: Count,
  /** Tasks that wait for their time, for others, or for a limit. */
  not_ready: Count,
  in_flight: Count,
  /** Seconds for which the oldest task that could run has waited. */
  oldest_due_seconds: Schema.Finite,
  /** `ceil((depth + in_flight) / slots_per_worker)`. */
  suggested_workers: Count
}) {}

export class WorkersScaling extends Schema.Class<WorkersScaling>("WorkersScaling")({
  queues: Schema.Array(QueueDemand),
  /** Mean of the healthy workers; 5, a worker's default, where there are none. */
  slots_per_worker: Schema.Finite,
  /** Of all queues together. */
  suggested_workers: Count,
  timestamp: Schema.DateTimeUtcFromString
}) {}

export const WorkerPage = Page(WorkerView).annotate({ identifier: "WorkerPage" })

const params = { worker_id: WorkerId }
const error = [Forbidden, NotFound] as const

export class WorkersApi extends HttpApiGroup.make("workers").add(
  HttpApiEndpoint.get("list", "/v1/workers", { success: WorkerPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List the live workers",
      description: "All of them, on one page: with what they can do, hold and have lately said of themselves.",
      transform: examples({ response: { items: [Example.worker], next_cursor: null } })
    })),
  HttpApiEndpoint.get("health", "/v1/workers/health", { success: WorkersHealth })
    .annotateMerge(OpenApi.annotations({
      summary: "Can the cluster work?",
      description: "Counts of workers and of free slots, and whether tasks find somebody who runs them.",
      transform: examples({ response: Example.workersHealth })
    })),
  HttpApiEndpoint.get("scaling", "/v1/workers/scaling", { success: WorkersScaling })
    .annotateMerge(OpenApi.annotations({
      summary: "How many workers could the queues use?",
      description: "Counted once for all who ask within a second; while counting takes long because very many tasks are open, within ten times as long. The same stands in the metrics, for autoscalers.",
      transform: examples({ response: Example.workersScaling })
    })),
  HttpApiEndpoint.post("pause", "/v1/workers/:worker_id/pause", { params, success: WorkerIntake, error })
    .annotate(RequiredScope, "admin").annotateMerge(OpenApi.annotations({
      summary: "Give a worker no more tasks (administrators)",
      description: "What runs goes on; what it was given in advance goes back to the queue. It holds over restarts of the worker, until it is resumed.",
      transform: examples({ response: { worker_id: Example.worker.worker_id, paused: true } })
    })),
  HttpApiEndpoint.post("resume", "/v1/workers/:worker_id/resume", { params, success: WorkerIntake, error })
    .annotate(RequiredScope, "admin").annotateMerge(OpenApi.annotations({
      summary: "Go on giving tasks to a paused worker (administrators)",
      description: "On whichever API server it is connected.",
      transform: examples({ response: { worker_id: Example.worker.worker_id, paused: false } })
    }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Workers",
  description: "Who runs tasks, and how they are."
})) {}
