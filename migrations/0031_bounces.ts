/**
 * Bounces that come as messages (docs/decisions/0045): a message that a mail server had taken may bounce later, and addresses to which
 * nothing more is sent can be named, so that they can be seen and taken off the list.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`ALTER TABLE mail_deliveries
    ADD COLUMN status_code text CHECK (status_code ~ '^[245]\\.[0-9]{1,3}\\.[0-9]{1,3}$'),
    DROP CONSTRAINT sent_at_a_time,
    ADD CONSTRAINT sent_at_a_time CHECK (CASE status WHEN 'sent' THEN sent_at IS NOT NULL WHEN 'bounced' THEN true ELSE sent_at IS NULL END)`

  yield* sql`ALTER TABLE undeliverable_addresses
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    ADD COLUMN status_code text CHECK (status_code ~ '^[245]\\.[0-9]{1,3}\\.[0-9]{1,3}$'),
    ALTER COLUMN smtp_code DROP NOT NULL`
  yield* sql`CREATE INDEX undeliverable_addresses_by_time ON undeliverable_addresses (noted_at DESC, id DESC)`

  yield* sql`ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_scopes_check,
    ADD CONSTRAINT api_tokens_scopes_check CHECK (scopes <@ ARRAY['read', 'write', 'background', 'admin', 'bounces'] AND cardinality(scopes) > 0)`
})
