/** CLEANUP (seed 001): removes the records of tasks that ended long ago, or only counts them. */
import { Schema } from "effect"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const CleanupCounts = Schema.Struct({ completed: Count, failed: Count, cancelled: Count })

export const Cleanup = TaskKind.make({
  kind: "CLEANUP",
  payload: Schema.Struct({
    /** Whole days since the end of a task; by default the time for which each task's record is to be kept. */
    max_age_days: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3650 }, { expected: "a whole number from 0 to 3650" }))),
    /** Counts what would be removed, and removes nothing. */
    dry_run: Schema.optionalKey(Schema.Boolean)
  }),
  result: Schema.Struct({ dry_run: Schema.Boolean, removed: CleanupCounts }),
  policy: backgroundPolicy,
  submittedBy: "administrators"
})
