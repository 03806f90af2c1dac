/**
 * E-mail: what became of each message to each address. Address, text and the mail server's words are encrypted. A message
 * whose worker was never heard of again after it was allowed to send stays `sending`; readers call it unknown once its task has ended.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE mail_deliveries (
      id uuid PRIMARY KEY,
      -- Who caused it; the address may be somebody else's.
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      template text NOT NULL CHECK (template ~ '^[a-z_]{1,50}$'),
      status text NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'bounced', 'failed', 'unknown', 'not_configured')),
      address encrypted_text NOT NULL,
      address_digest bytea NOT NULL,
      -- What the template was given; gone once it was sent.
      letter encrypted_text,
      -- The task that sends it, and which of its attempts was allowed to.
      task bigint,
      attempt integer,
      sends smallint NOT NULL DEFAULT 1 CHECK (sends BETWEEN 1 AND 10),
      smtp_code smallint CHECK (smtp_code BETWEEN 200 AND 599),
      response encrypted_text,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      sent_at timestamptz,
      CONSTRAINT sending_by_an_attempt CHECK (status <> 'sending' OR (task IS NOT NULL AND attempt IS NOT NULL)),
      CONSTRAINT sent_at_a_time CHECK ((status = 'sent') = (sent_at IS NOT NULL))
    )`
  yield* sql`CREATE INDEX mail_deliveries_by_user ON mail_deliveries (user_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX mail_deliveries_by_time ON mail_deliveries (created_at DESC, id DESC)`
  yield* sql`CREATE INDEX mail_deliveries_by_address ON mail_deliveries (address_digest, created_at)`

  yield* sql`
    CREATE TABLE undeliverable_addresses (
      address_digest bytea PRIMARY KEY,
      smtp_code smallint NOT NULL,
      noted_at timestamptz NOT NULL DEFAULT now()
    )`
})
