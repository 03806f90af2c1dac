/**
 * The audit log of security events: who logged in, who failed to, what was refused. Names of events are the application's
 * (SecurityEvents), so that a new one needs no migration. Kept for 90 days.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE security_events (
      id uuid PRIMARY KEY,
      at timestamptz NOT NULL,
      event text NOT NULL CHECK (event ~ '^[a-z][a-z_]{0,62}$'),
      -- No reference: what happened outlives the account, and the id of a removed account names nobody.
      user_id uuid,
      -- Personal data: encrypted by the application (FieldCipher).
      address text,
      request_id text CHECK (length(request_id) <= 128),
      detail jsonb NOT NULL CHECK (jsonb_typeof(detail) = 'object')
    )
  `
  yield* sql`CREATE INDEX security_events_by_time ON security_events (at DESC)`
  yield* sql`CREATE INDEX security_events_by_user ON security_events (user_id, at DESC) WHERE user_id IS NOT NULL`
})
