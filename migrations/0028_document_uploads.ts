/**
 * Documents of up to 50 MiB (docs/decisions/0043): uploaded in parts, with more chunks than their places fit into a result. And
 * tasks that wait for the end of others, whatever that is.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE document_uploads (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      -- Its uploader's until a document takes it; from then on it goes with the document.
      user_id uuid REFERENCES users (id) ON DELETE CASCADE,
      document uuid UNIQUE REFERENCES documents (key) ON DELETE CASCADE,
      format text NOT NULL CHECK (format IN ('text', 'markdown', 'html', 'pdf')),
      bytes integer NOT NULL DEFAULT 0,
      parts integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- Null while it arrives.
      completed_at timestamptz,
      CONSTRAINT one_owner CHECK ((user_id IS NULL) <> (document IS NULL)),
      CONSTRAINT taken_whole CHECK (document IS NULL OR completed_at IS NOT NULL)
    )`
  yield* sql`CREATE INDEX document_uploads_by_user ON document_uploads (user_id)`
  yield* sql`CREATE INDEX document_uploads_by_organization ON document_uploads (organization_id)`

  yield* sql`
    CREATE TABLE document_upload_parts (
      upload uuid NOT NULL REFERENCES document_uploads (id) ON DELETE CASCADE,
      place integer NOT NULL,
      content encrypted_text NOT NULL,
      PRIMARY KEY (upload, place)
    )`
  // Encrypted bytes do not get smaller.
  yield* sql`ALTER TABLE document_upload_parts ALTER COLUMN content SET STORAGE EXTERNAL`

  // Null: the source is the upload that names the document.
  yield* sql`ALTER TABLE documents ALTER COLUMN source DROP NOT NULL`
  // With those of tasks that have not completed; counted rather than looked up for each part.
  yield* sql`ALTER TABLE documents ADD COLUMN stored_chunks integer NOT NULL DEFAULT 0`
  yield* sql`UPDATE documents d SET stored_chunks = (SELECT count(*) FROM document_chunks c WHERE c.document = d.key)`

  // Where chunks are to stand once an attempt completes.
  yield* sql`
    CREATE TABLE document_places (
      document uuid NOT NULL REFERENCES documents (key) ON DELETE CASCADE,
      revision integer NOT NULL,
      attempt integer NOT NULL,
      place integer NOT NULL,
      chunk uuid NOT NULL,
      start_at integer NOT NULL,
      core_at integer NOT NULL,
      end_at integer NOT NULL,
      PRIMARY KEY (document, revision, attempt, place),
      CONSTRAINT in_order CHECK (0 <= start_at AND start_at <= core_at AND core_at < end_at)
    )`
  yield* sql`CREATE INDEX document_places_by_chunk ON document_places (document, revision, attempt, chunk)`

  // However that one ends, this one goes on.
  yield* sql`ALTER TABLE task_dependencies ADD COLUMN whatever_end boolean NOT NULL DEFAULT false`
})
