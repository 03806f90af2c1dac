/** Notifications (docs/decisions/0035): numbered for each reader without gaps, so that a stream can be resumed. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // Its row's lock gives the numbers in the order of commits.
  yield* sql`
    CREATE TABLE notification_readers (
      user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      last_seq integer NOT NULL CHECK (last_seq >= 1)
    )`
  yield* sql`
    CREATE TABLE notifications (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      seq integer NOT NULL,
      category text NOT NULL CHECK (category IN ('alert', 'announcement')),
      -- JSON of title, body and link.
      notice encrypted_text NOT NULL,
      sender_id uuid REFERENCES users (id) ON DELETE SET NULL,
      task_id text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      read_at timestamptz,
      UNIQUE (user_id, seq),
      CONSTRAINT told_once UNIQUE (task_id, user_id)
    )`
  yield* sql`CREATE INDEX notifications_unread ON notifications (user_id, seq) WHERE read_at IS NULL`
  yield* sql`CREATE INDEX notifications_by_age ON notifications (created_at)`
  yield* sql`CREATE INDEX notifications_by_sender ON notifications (sender_id)`
})
