/**
 * Workers that an operator paused, by their own id: a pause holds for whichever session the worker has, on any API server,
 * and for the one it has after a restart.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE paused_workers (
      worker_id text PRIMARY KEY,
      paused_at timestamptz NOT NULL DEFAULT now()
    )`
})
