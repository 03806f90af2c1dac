/**
 * Accounts: users, their organizations (each user gets a personal one), and the sessions that refresh tokens belong to.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE users (
      id uuid PRIMARY KEY,
      email varchar(255) NOT NULL,
      password_hash text NOT NULL,
      first_name varchar(100) NOT NULL,
      last_name varchar(100) NOT NULL,
      timezone text NOT NULL DEFAULT 'UTC',
      preferences jsonb NOT NULL DEFAULT '{}',
      is_admin boolean NOT NULL DEFAULT false,
      last_login_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )
  `
  // Two spellings of one address are one account.
  yield* sql`CREATE UNIQUE INDEX users_by_email ON users (lower(email))`

  yield* sql`
    CREATE TABLE organizations (
      id uuid PRIMARY KEY,
      name varchar(250) NOT NULL,
      -- The user whose personal organization this is; null where people share one.
      personal_of uuid UNIQUE REFERENCES users (id) ON DELETE CASCADE,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )
  `
  yield* sql`
    CREATE TABLE organization_members (
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
      joined_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (organization_id, user_id)
    )
  `
  yield* sql`CREATE INDEX organization_members_by_user ON organization_members (user_id)`

  // A session: everything that descends from one login by rotation. It is revoked as a whole.
  yield* sql`
    CREATE TABLE refresh_token_families (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- When the newest refresh token of the family expires.
      expires_at timestamptz NOT NULL,
      revoked_at timestamptz,
      revoked_reason text CHECK (revoked_reason IN ('logout', 'reuse')),
      CONSTRAINT revoked_for_a_reason CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
    )
  `
  yield* sql`CREATE INDEX refresh_token_families_by_user ON refresh_token_families (user_id)`
  yield* sql`CREATE INDEX refresh_token_families_by_expiry ON refresh_token_families (expires_at)`

  // Refresh tokens that were used or given back. The primary key decides between two uses at the same moment.
  yield* sql`
    CREATE TABLE refresh_token_denylist (
      jti text PRIMARY KEY,
      family_id uuid NOT NULL REFERENCES refresh_token_families (id) ON DELETE CASCADE,
      denylisted_at timestamptz NOT NULL DEFAULT now()
    )
  `
  yield* sql`CREATE INDEX refresh_token_denylist_by_family ON refresh_token_denylist (family_id)`
})
