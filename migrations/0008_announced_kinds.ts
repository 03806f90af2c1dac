/** Task kinds that workers bring with them: what their payloads and results look like, and how their tasks are queued. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE announced_kinds (
      kind text PRIMARY KEY CHECK (length(kind) BETWEEN 1 AND 200),
      payload_schema jsonb NOT NULL,
      result_schema jsonb NOT NULL,
      policy jsonb,
      worker_id text NOT NULL,
      announced_at timestamptz NOT NULL DEFAULT now()
    )`
})
