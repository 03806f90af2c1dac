/**
 * UPDATE_USER_METRICS (seed 004, update_user_metrics): has a user's nine metrics computed anew. The API computes them with the task's completion, because
 * figures come from its own facts only; the worker decides when, and how many at once.
 */
import { Schema } from "effect"
import { UserId } from "../Ids.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy, priorityOf } from "./TaskPolicy.ts"

export const UpdateUserMetrics = TaskKind.make({
  kind: "UPDATE_USER_METRICS",
  payload: Schema.Struct({ user_id: UserId }),
  /** The worker hands in nothing; what is kept says what they were computed from. */
  result: Schema.Struct({ entries: Schema.optionalKey(Schema.Int), minutes: Schema.optionalKey(Schema.Int) }),
  policy: { ...backgroundPolicy, priority: priorityOf("low"), deadline: 3_600_000 },
  submittedBy: "administrators"
})
