/**
 * What an account can look after by itself: its sessions, API tokens for programs, and its own removal. Besides, what the
 * nightly jobs last did.
 *
 * A project may outlive who created it: one of a shared organization passes to another administrator of it, or is left without
 * a creator (docs/decisions/0028).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // Where a session was opened: what its owner recognizes it by.
  yield* sql`ALTER TABLE refresh_token_families ADD COLUMN address encrypted_text, ADD COLUMN user_agent encrypted_text`
  yield* sql`ALTER TABLE refresh_token_families DROP CONSTRAINT refresh_token_families_revoked_reason_check`
  yield* sql`
    ALTER TABLE refresh_token_families ADD CONSTRAINT known_reason CHECK (revoked_reason IN ('logout', 'reuse', 'revoked', 'password'))`
  yield* sql`CREATE INDEX refresh_token_denylist_by_time ON refresh_token_denylist (denylisted_at)`

  yield* sql`
    CREATE TABLE api_tokens (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name encrypted_text NOT NULL,
      -- SHA-256 of 256 random bits.
      token_hash bytea NOT NULL UNIQUE,
      scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write', 'background', 'admin'] AND cardinality(scopes) > 0),
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      -- To the hour: each request would be a write otherwise.
      last_used_at timestamptz
    )`
  yield* sql`CREATE INDEX api_tokens_by_user ON api_tokens (user_id, created_at DESC, id DESC)`

  yield* sql`
    CREATE TABLE scheduled_deletions (
      user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      requested_at timestamptz NOT NULL DEFAULT now(),
      delete_after timestamptz NOT NULL
    )`
  yield* sql`CREATE INDEX scheduled_deletions_by_time ON scheduled_deletions (delete_after)`

  yield* sql`ALTER TABLE projects ALTER COLUMN created_by DROP NOT NULL`
  yield* sql`ALTER TABLE projects DROP CONSTRAINT projects_created_by_fkey`
  yield* sql`
    ALTER TABLE projects ADD CONSTRAINT projects_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL`

  yield* sql`CREATE INDEX insights_by_age ON insights (created_at)`

  yield* sql`
    CREATE TABLE jobs (
      name text PRIMARY KEY,
      -- The last run; under way while it has no end.
      started_at timestamptz,
      ended_at timestamptz,
      started_by text CHECK (started_by IN ('schedule', 'admin')),
      outcome text CHECK (outcome IN ('completed', 'failed')),
      -- How many records it removed.
      removed integer CHECK (removed >= 0),
      -- Told apart from one that was given up: only the run that is under way may write its end.
      run uuid,
      CONSTRAINT ended_with_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL))
    )`
})
