/**
 * Recurring tasks. Each occurrence becomes a task in the transaction that moves `next_run_at` on, under a unique key of its own
 * (docs/decisions/0023). Effect's cluster keeps its tables in a schema of their own and migrates them itself.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE schedules (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name encrypted_text,
      kind text NOT NULL,
      payload json NOT NULL,
      -- TaskPolicy of its tasks: queue, priority, times, retries.
      policy json NOT NULL,
      cron text NOT NULL CHECK (length(cron) <= 200),
      timezone text NOT NULL,
      paused boolean NOT NULL DEFAULT false,
      catch_up text NOT NULL CHECK (catch_up IN ('skip', 'last', 'all')),
      catch_up_limit integer NOT NULL CHECK (catch_up_limit BETWEEN 1 AND 100),
      next_run_at timestamptz NOT NULL,
      -- The occurrence that was submitted last, and its task.
      last_run_at timestamptz,
      last_task_id text,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )`
  yield* sql`CREATE INDEX schedules_due ON schedules (next_run_at) WHERE NOT paused`
  yield* sql`CREATE INDEX schedules_by_organization ON schedules (organization_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX schedules_by_user ON schedules (user_id)`

  yield* sql`CREATE SCHEMA IF NOT EXISTS englog_cluster`
})
