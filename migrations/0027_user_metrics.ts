/**
 * The nine metrics of each user, refreshed by a task after their entries have changed (seed 004, update_user_metrics). A change only
 * marks the row; whoever refreshes takes the mark away before it computes, so that no change is missed.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE user_metrics (
      user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      -- Since when an entry has changed that is not in the metrics; null where they are up to date.
      stale_since timestamptz,
      -- A task is to refresh them; after this time it is believed lost.
      submitted_until timestamptz,
      period_start date,
      period_end date,
      minutes integer,
      entries integer,
      -- Figures only; null without entries.
      metrics jsonb,
      computed_at timestamptz,
      CONSTRAINT computed_whole CHECK (num_nulls(period_start, period_end, minutes, entries, computed_at) IN (0, 5))
    )`
  yield* sql`CREATE INDEX user_metrics_stale ON user_metrics (stale_since) WHERE stale_since IS NOT NULL`
})
