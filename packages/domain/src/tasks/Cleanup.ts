/** CLEANUP (seed 001): removes what was kept long enough, table by table, or only counts it. */
import { Schema } from "effect"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const CleanupCounts = Schema.Struct({ completed: Count, failed: Count, cancelled: Count })

/** What is cleaned up, by the rules of the nightly jobs; `tasks` with their events and dead letters. */
export const CleanedTable = Schema.Literals([
  "tasks", "insights", "notifications", "team_invitations", "idempotency_keys", "refresh_token_families", "refresh_token_denylist", "api_tokens",
  "security_events"
])
export type CleanedTable = typeof CleanedTable.Type

const counts = {
  /** Of tasks, by how they ended; failed ones include those that expired. */
  removed: CleanupCounts,
  /** Rows of each table that was asked for. */
  tables: Schema.Array(Schema.Struct({ table: CleanedTable, rows: Count }))
}

/** What the worker learns: what there is to be removed. */
export const CleanupInput = Schema.Struct(counts)

export const Cleanup = TaskKind.make({
  kind: "CLEANUP",
  payload: Schema.Struct({
    /** Whole days since the end of a task; by default the time for which each task's record is to be kept. */
    max_age_days: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3650 }, { expected: "a whole number from 0 to 3650" }))),
    /** Counts what would be removed, and removes nothing. */
    dry_run: Schema.optionalKey(Schema.Boolean),
    /** By default tasks alone. */
    tables: Schema.optionalKey(Schema.Array(CleanedTable).check(Schema.makeFilter<ReadonlyArray<string>>((tables) =>
      tables.length === 0 ? "must name at least one" : new Set(tables).size < tables.length ? "must not name one twice" : undefined, {
      expected: "at least one table, each once", toJsonSchema: () => [{ minItems: 1, uniqueItems: true }, true]
    })))
  }),
  result: Schema.Struct({ dry_run: Schema.Boolean, ...counts }),
  policy: backgroundPolicy,
  submittedBy: "administrators"
})
