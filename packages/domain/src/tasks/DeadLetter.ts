/** A task that failed for good, or expired before anybody could start it, as it is kept until its record goes. */
import { Schema, Struct } from "effect"
import { TaskId } from "../Ids.ts"
import { Task } from "./Task.ts"
import { FailureReason } from "./TaskState.ts"

export const DeadLetter = Schema.Struct({
  ...Struct.pick(Task.fields, ["task_id", "kind", "name", "queue", "priority", "organization_id", "user_id", "error", "attempt", "created_at"]),
  reason: FailureReason,
  failed_at: Schema.DateTimeUtcFromDate,
  /** The task that was made of it; null while it can be replayed. */
  replayed_as: Schema.NullOr(TaskId)
})
