/** Proposals of type and tags for entries, until their owners have decided. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE entry_suggestions (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      -- A new one replaces the one there was.
      entry_id uuid NOT NULL UNIQUE REFERENCES log_entries (id) ON DELETE CASCADE,
      -- The task's record is kept for a shorter time.
      task_id text NOT NULL,
      -- Type, tags, and the etag of the entry that they are for.
      proposal encrypted_text NOT NULL,
      model text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`
  yield* sql`CREATE INDEX entry_suggestions_by_user ON entry_suggestions (user_id, created_at DESC, id DESC)`
})
