/** Uploads of documents that go on after their connection was lost (docs/decisions/0048): their bytes wait for the rest as long as whole ones wait for a document. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE document_uploads ADD COLUMN resumable boolean NOT NULL DEFAULT false`
})
