/**
 * A task as the API keeps it, what is handed to a worker, and what comes back.
 */
import { Schema } from "effect"
import { OrganizationId, SessionId, TaskId, UserId, WorkerId } from "../Ids.ts"
import { Priority, RetryPolicy } from "./TaskPolicy.ts"
import { FailureReason, TaskState } from "./TaskState.ts"

/**
 * What a noun hands to the queue. `payload` is JSON text of ids; `private_input` is text that is kept encrypted and that
 * only the holder of the task gets to read, through its kind's data.
 */
export class NewTask extends Schema.Class<NewTask>("NewTask")({
  task_id: TaskId,
  kind: Schema.String,
  queue: Schema.String,
  priority: Priority,
  organization_id: OrganizationId,
  user_id: UserId,
  payload: Schema.String,
  private_input: Schema.NullOr(Schema.String),
  /** Milliseconds; see TaskPolicy. */
  attempt_timeout: Schema.Int,
  deadline: Schema.Int,
  retry: RetryPolicy
}) {}

/** A task with everything that may be shown to the people of its organization. */
export class Task extends Schema.Class<Task>("Task")({
  task_id: TaskId,
  kind: Schema.String,
  queue: Schema.String,
  priority: Schema.Int,
  organization_id: OrganizationId,
  user_id: UserId,
  payload: Schema.String,
  state: TaskState,
  attempt: Schema.Int,
  max_attempts: Schema.Int,
  rescues: Schema.Int,
  /** Percent. */
  progress: Schema.Int,
  message: Schema.NullOr(Schema.String),
  worker_id: Schema.NullOr(WorkerId),
  result: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(FailureReason),
  cancel_requested: Schema.Boolean,
  traceparent: Schema.String,
  created_at: Schema.DateTimeUtcFromDate,
  started_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  completed_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  deadline: Schema.DateTimeUtcFromDate
}) {}

/** One attempt of a task, held by one worker session. */
export class TaskLease extends Schema.Class<TaskLease>("TaskLease")({
  task_id: TaskId,
  kind: Schema.String,
  priority: Schema.Int,
  payload: Schema.String,
  private_input: Schema.NullOr(Schema.String),
  attempt: Schema.Int,
  deadline: Schema.DateTimeUtcFromDate,
  traceparent: Schema.String,
  organization_id: OrganizationId,
  user_id: UserId
}) {}

/** How an attempt ended, as its worker reports it. `attempt` 0: the one delivered to this session (see the contract). */
export class TaskReport extends Schema.Class<TaskReport>("TaskReport")({
  task_id: TaskId,
  session_id: SessionId,
  attempt: Schema.Int,
  outcome: Schema.Union([
    Schema.TaggedStruct("Completed", { result: Schema.String }),
    Schema.TaggedStruct("Failed", { error: Schema.String, retryable: Schema.Boolean }),
    Schema.TaggedStruct("Stopped", { message: Schema.String })
  ])
}) {}

export const TaskEventType = Schema.Literals([
  "queued", "started", "progress", "retrying", "rescued", "handed_back", "cancel_requested",
  "completed", "failed", "cancelled", "expired"
])
export type TaskEventType = typeof TaskEventType.Type

/** One line of a task's history; `seq` starts at 1 and has no gaps. */
export class TaskEventRecord extends Schema.Class<TaskEventRecord>("TaskEventRecord")({
  seq: Schema.Int,
  type: TaskEventType,
  at: Schema.DateTimeUtcFromDate,
  attempt: Schema.Int,
  progress: Schema.Int,
  message: Schema.NullOr(Schema.String),
  worker_id: Schema.NullOr(Schema.String)
}) {}
