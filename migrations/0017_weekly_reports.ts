/**
 * The reports of every Monday: whose, and about which week. A week stands here with its task, in one transaction, so that nobody
 * gets a week twice, whatever becomes of their zone, of the task or of the servers.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE weekly_reports (
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      -- The Monday with which the reported week begins.
      week date NOT NULL CHECK (extract(isodow FROM week) = 1),
      submitted_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, week)
    )`
  // Who is here already gets the first one on the next Monday, not at the moment of the upgrade. In the zones east and west of UTC
  // the week may be the one before or after.
  yield* sql`
    INSERT INTO weekly_reports (user_id, week)
    SELECT u.id, date_trunc('week', now() AT TIME ZONE 'UTC')::date - 7 * n.weeks FROM users u CROSS JOIN (VALUES (1), (2)) AS n (weeks)`
})
