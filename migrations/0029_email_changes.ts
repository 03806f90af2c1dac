/**
 * A new e-mail address that an account has asked for and not confirmed yet: one at a time. The token went to that address and is
 * kept as a hash.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE email_changes (
      user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      email encrypted_text NOT NULL,
      token_hash bytea NOT NULL,
      requested_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    )`
  yield* sql`CREATE INDEX email_changes_by_expiry ON email_changes (expires_at)`

  yield* sql`ALTER TABLE refresh_token_families DROP CONSTRAINT known_reason`
  yield* sql`
    ALTER TABLE refresh_token_families ADD CONSTRAINT known_reason CHECK (revoked_reason IN ('logout', 'reuse', 'revoked', 'password', 'email'))`
})
