/**
 * Stored insights. Text is encrypted by the application (FieldCipher); ids, numbers and dates are not.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE insights (
      id uuid PRIMARY KEY,
      task_id text NOT NULL UNIQUE REFERENCES tasks (task_id) ON DELETE CASCADE,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      insight_type text NOT NULL,
      period_start date NOT NULL,
      period_end date NOT NULL,
      content text NOT NULL,
      tags text[] NOT NULL,
      confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
      model text NOT NULL,
      prompt_version text NOT NULL,
      source text NOT NULL CHECK (source IN ('model', 'cache', 'builtin')),
      fallback_reason text,
      facts text NOT NULL,
      citations jsonb NOT NULL,
      removed text NOT NULL,
      entry_count integer NOT NULL CHECK (entry_count >= 0),
      -- SHA-256 of the question (facts, entries, type, context): an equal one may be answered from here.
      question_digest bytea NOT NULL,
      -- The answer as the model gave it, fact references unrendered.
      draft text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT period_is_a_range CHECK (period_end >= period_start)
    )
  `
  yield* sql`CREATE INDEX insights_by_user ON insights (user_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX insights_by_question ON insights (user_id, question_digest, created_at DESC) WHERE source = 'model'`
})
