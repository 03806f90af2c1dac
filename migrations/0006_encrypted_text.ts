/**
 * A type for what the application encrypts (FieldCipher), so that no program can store plain text in its place; and four
 * columns more that hold text a person or a model wrote. What they held lies in `plain_…` until the API has sealed it,
 * which it does before it serves anybody (crypto/KeyRotation.ts).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const sealed = [
  ["log_entries", "description"],
  ["tasks", "private_input"],
  ["tasks", "result"],
  ["tasks", "error"],
  ["tasks", "message"],
  ["task_queue", "message"],
  ["task_events", "message"],
  ["insights", "content"],
  ["insights", "facts"],
  ["insights", "removed"],
  ["insights", "draft"],
  ["security_events", "address"]
] as const

const plainUntilNow = [
  ["projects", "description"],
  ["task_queue", "cancel_reason"],
  ["insights", "tags"],
  ["insights", "fallback_reason"]
] as const

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // Format, key id, and at least a nonce and a tag in base64url.
  yield* sql`
    CREATE DOMAIN encrypted_text AS text CHECK (VALUE ~ '^v[12]:[A-Za-z0-9_-]{1,32}:[A-Za-z0-9_-]{38,}$')
  `
  for (const [table, column] of sealed) {
    yield* sql`ALTER TABLE ${sql(table)} ALTER COLUMN ${sql(column)} TYPE encrypted_text`
  }
  for (const [table, column] of plainUntilNow) {
    yield* sql`ALTER TABLE ${sql(table)} RENAME COLUMN ${sql(column)} TO ${sql(`plain_${column}`)}`
    yield* sql`ALTER TABLE ${sql(table)} ADD COLUMN ${sql(column)} encrypted_text`
  }
  yield* sql`ALTER TABLE insights ALTER COLUMN plain_tags DROP NOT NULL`
  yield* sql`ALTER TABLE insights ADD CONSTRAINT tags_in_one_form CHECK ((tags IS NULL) <> (plain_tags IS NULL))`

  // Which keys an API server has: values may be rotated to a key once every server can read it.
  yield* sql`ALTER TABLE replicas ADD COLUMN key_ids text[] NOT NULL DEFAULT '{}'`

  // An unkeyed digest lets a reader of the table confirm a guess at the text. It is of use to the cache only, which fills again.
  yield* sql`UPDATE insights SET question_digest = sha256(uuid_send(gen_random_uuid()))`
})
