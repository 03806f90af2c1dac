/**
 * What an insight rests on, so that it can be verified against today's records; to which projects it is limited; and a way to
 * find any answer to a question, not only that of a model (docs/decisions/0041).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // Null where it was stored by an earlier version: that one cannot be verified.
  yield* sql`ALTER TABLE insights ADD COLUMN basis encrypted_text`
  // Null: entries of any project or none.
  yield* sql`ALTER TABLE insights ADD COLUMN project_ids uuid[]`
  yield* sql`DROP INDEX insights_by_question`
  yield* sql`CREATE INDEX insights_by_question ON insights (user_id, question_digest, created_at DESC)`
})
