/**
 * Attempts of webhooks are recorded before they are made, and the engine sees for itself whose endings somebody follows
 * (docs/decisions/0037).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // Null: it was begun, and nothing has been heard of it.
  yield* sql`ALTER TABLE webhook_attempts ALTER COLUMN duration_ms DROP NOT NULL, ALTER COLUMN record DROP NOT NULL,
    ADD CONSTRAINT concluded_whole CHECK (num_nulls(duration_ms, record) IN (0, 2))`

  // Since when it has been on its way: since it was made, or sent again.
  yield* sql`ALTER TABLE webhook_deliveries ADD COLUMN pending_since timestamptz NOT NULL DEFAULT now()`
  yield* sql`UPDATE webhook_deliveries SET pending_since = created_at`
  yield* sql`CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (pending_since) WHERE status = 'pending'`

  // What the engine knows of nouns: organizations of which somebody wants to know how their tasks end.
  yield* sql`CREATE INDEX webhook_endpoints_enabled ON webhook_endpoints (organization_id) WHERE disabled_at IS NULL`
  yield* sql`CREATE VIEW followed_organizations AS SELECT organization_id FROM webhook_endpoints WHERE disabled_at IS NULL`
})
