/** Calendars of a person's entries that programs read at a secret address, until it is revoked (docs/decisions/0030). */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE calendar_feeds (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name encrypted_text NOT NULL,
      disclosure text NOT NULL CHECK (disclosure IN ('busy', 'titles', 'details')),
      -- JSON: searched words and names of tags are a person's.
      filter encrypted_text NOT NULL,
      -- SHA-256 of 256 random bits.
      secret_hash bytea NOT NULL UNIQUE,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- To the minute: each reading would be a write otherwise.
      last_read_at timestamptz
    )`
  yield* sql`CREATE INDEX calendar_feeds_by_user ON calendar_feeds (user_id, created_at DESC, id DESC)`
})
