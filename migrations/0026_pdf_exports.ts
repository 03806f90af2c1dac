/** Performance reviews as documents: what was asked for, and the document until it expires (docs/decisions/0030). */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE pdf_exports (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      task_id text NOT NULL,
      title encrypted_text NOT NULL,
      -- Local days of the user, both inclusive.
      period_start date NOT NULL,
      period_end date NOT NULL,
      -- Whether the review quotes an insight, and which one; none named: the newest of the period.
      with_insight boolean NOT NULL,
      insight_id uuid REFERENCES insights (id) ON DELETE SET NULL,
      -- Base64.
      document encrypted_text,
      pages integer CHECK (pages > 0),
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      CONSTRAINT valid_period CHECK (period_end >= period_start),
      CONSTRAINT pages_of_document CHECK ((document IS NULL) = (pages IS NULL))
    )`
  yield* sql`CREATE INDEX pdf_exports_by_user ON pdf_exports (user_id)`
  yield* sql`CREATE INDEX pdf_exports_by_insight ON pdf_exports (insight_id)`
  yield* sql`CREATE INDEX pdf_exports_by_expiry ON pdf_exports (expires_at)`
})
