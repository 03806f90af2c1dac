/**
 * A task as the API keeps it, what is handed to a worker, and what comes back.
 */
import { type DateTime, Schema } from "effect"
import { OrganizationId, type SessionId, TaskId, UserId, WorkerId } from "../Ids.ts"
import type { Priority, RetryPolicy } from "./TaskPolicy.ts"
import { FailureReason, TaskState } from "./TaskState.ts"

/** What bounds tasks of one organization that name the same key: how many run at once, how closely they may follow each other. */
export interface TaskLimit {
  readonly key: string
  readonly max_running: number | null
  /** Milliseconds between two starts at least. */
  readonly interval: number | null
}

/**
 * A task as it is inserted. `payload` is JSON text of ids; `private_input` is text that is kept encrypted and that only the
 * holder of the task gets to read, through its kind's data. Times in milliseconds; see TaskPolicy.
 */
export interface NewTask {
  readonly number: bigint
  readonly task_id: TaskId
  readonly kind: string
  /** For people; kept encrypted. */
  readonly name: string | null
  readonly queue: string
  readonly priority: Priority
  readonly organization_id: OrganizationId
  readonly user_id: UserId
  readonly payload: string
  readonly private_input: string | null
  readonly attempt_timeout: number
  /** From its submission, or from `delay` later. */
  readonly deadline: number
  /** Before the first attempt. */
  readonly delay: number
  readonly retry: RetryPolicy
  readonly result_ttl: number
  /** The same kind of task of the same organization is accepted once under a key. */
  readonly unique_key: string | null
  readonly limit: TaskLimit | null
  /** It starts after these have completed; if one of them ends otherwise, it is cancelled, unless it starts after `whateverEnd`. */
  readonly after: ReadonlyArray<TaskId>
  readonly whateverEnd: boolean
  readonly parent: TaskId | null
  /** W3C trace context of the request that caused it; empty where there is none. */
  readonly traceparent: string
}

/** Why a queued task is not ready: its time has not come, other tasks come first, or its limit key has no permit free. */
export const WaitsFor = Schema.Literals(["time", "tasks", "limit"])

/** A task with everything that may be shown to the people of its organization. */
export class Task extends Schema.Class<Task>("Task")({
  task_id: TaskId,
  kind: Schema.String,
  name: Schema.NullOr(Schema.String),
  queue: Schema.String,
  priority: Schema.Int,
  organization_id: OrganizationId,
  user_id: UserId,
  payload: Schema.String,
  state: TaskState,
  waits_for: Schema.NullOr(WaitsFor),
  /** When its next attempt may begin; null where it has ended. */
  run_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  attempt: Schema.Int,
  max_attempts: Schema.Int,
  rescues: Schema.Int,
  /** Percent. */
  progress: Schema.Int,
  message: Schema.NullOr(Schema.String),
  worker_id: Schema.NullOr(WorkerId),
  parent: Schema.NullOr(TaskId),
  unique_key: Schema.NullOr(Schema.String),
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

/** One attempt of a task, held by one worker session. An interface: many of them are made per millisecond. */
export interface TaskLease {
  readonly task_id: TaskId
  readonly kind: string
  readonly priority: number
  readonly payload: string
  readonly private_input: string | null
  readonly attempt: number
  readonly deadline: DateTime.Utc
  readonly traceparent: string
  readonly organization_id: OrganizationId
  readonly user_id: UserId
}

/** What is told of a failed attempt besides its error. */
export interface FailureTerms {
  /** False: no further attempt can succeed, whatever the retry policy says. */
  readonly retryable: boolean
  /** Milliseconds before which a further attempt is useless. */
  readonly retry_after?: number
  /** What the kind keeps of a failed attempt, as JSON text. */
  readonly detail?: string
}

/** How an attempt ended, as its worker reports it. `attempt` 0: the one delivered to this session (see the contract). */
export interface TaskReport {
  readonly task_id: TaskId
  readonly session_id: SessionId
  readonly attempt: number
  readonly outcome:
    | { readonly _tag: "Completed"; readonly result: string }
    | { readonly _tag: "Failed"; readonly error: string } & FailureTerms
    | { readonly _tag: "Stopped"; readonly message: string }
}

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
