/** Background tasks as clients see them, by REST and RPC alike. */
import { TaskId, UserId } from "@englog/domain/Ids"
import { WaitsFor } from "@englog/domain/tasks/Task"
import { PublicTaskState } from "@englog/domain/tasks/TaskState"
import { Schema } from "effect"
import { TaskStep, TaskView } from "./TaskView.ts"

export class BackgroundTaskView extends Schema.Class<BackgroundTaskView>("BackgroundTaskView")({
  ...TaskView.fields,
  name: Schema.NullOr(Schema.String),
  /** The kind by its public name. */
  task_type: Schema.String,
  /** The same as `state`, by the name of seed 002. */
  status: PublicTaskState,
  /** Why it is pending and not ready: `time`, other `tasks`, or its `limit`; null where it is ready, runs or has ended. */
  waits_for: Schema.NullOr(WaitsFor),
  /** When its next attempt may begin. */
  run_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  queue: Schema.String,
  user_id: UserId,
  parent: Schema.NullOr(TaskId),
  unique_key: Schema.NullOr(Schema.String),
  /** What its worker handed in; null until it is completed. */
  result: Schema.Json
}) {}

/** A step with the weight that seed 002 gives it: `warning` for what is tried again, `error` for what failed for good. */
export class TaskLogLine extends Schema.Class<TaskLogLine>("TaskLogLine")({
  ...TaskStep.fields,
  level: Schema.Literals(["info", "warning", "error"])
}) {}
