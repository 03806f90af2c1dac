/**
 * Entries that run, entries that are searched, and requests that are sent twice. A running entry has no end yet, so no
 * duration either. Words of titles and descriptions are kept as keyed digests (docs/decisions/0026).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // valid_time_range holds of entries that have ended; a generated column of NULL is NULL.
  yield* sql`ALTER TABLE log_entries ALTER COLUMN end_time DROP NOT NULL`
  yield* sql`ALTER TABLE log_entries ALTER COLUMN duration_minutes DROP NOT NULL`
  yield* sql`CREATE INDEX log_entries_running ON log_entries (user_id, start_time) WHERE end_time IS NULL`

  // The key that the digests were made with; null until the API has made them, which it does for older entries when it starts.
  yield* sql`ALTER TABLE log_entries ADD COLUMN word_digests bigint[] NOT NULL DEFAULT '{}'`
  yield* sql`ALTER TABLE log_entries ADD COLUMN words_key text`
  yield* sql`CREATE INDEX log_entries_by_word ON log_entries USING gin (word_digests)`

  // A key is taken from its request's begin to its commit; who comes with it meanwhile waits at the unique index.
  yield* sql`
    CREATE TABLE idempotency_keys (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      key_digest bytea NOT NULL UNIQUE,
      body_digest bytea NOT NULL,
      response encrypted_text,
      created_at timestamptz NOT NULL DEFAULT now()
    )
  `
  yield* sql`CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at)`
  yield* sql`CREATE INDEX idempotency_keys_by_user ON idempotency_keys (user_id)`
})
