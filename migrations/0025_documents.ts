/**
 * Documents and their chunks (docs/decisions/0039). The server's vector type is not needed: vectors are arrays, and the API makes
 * an HNSW index over them where pgvector is installed.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // Made once: digests of words, ids of chunks and the blinding of vectors hang on it, and a rotation of keys leaves it as it is.
  yield* sql`
    CREATE TABLE knowledge_keys (
      organization_id uuid PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
      secret encrypted_text NOT NULL
    )`

  yield* sql`
    CREATE TABLE documents (
      key uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      document_id text NOT NULL,
      -- A document of a team stays when whoever brought it leaves.
      submitted_by uuid REFERENCES users (id) ON DELETE SET NULL,
      title encrypted_text,
      format text NOT NULL CHECK (format IN ('text', 'markdown', 'html', 'pdf')),
      source encrypted_text NOT NULL,
      -- The source is Base64 of bytes.
      encoded boolean NOT NULL,
      chunk_size integer NOT NULL,
      overlap integer NOT NULL CHECK (overlap >= 0 AND overlap * 2 <= chunk_size),
      revision integer NOT NULL DEFAULT 1,
      searched_revision integer,
      task_id text,
      chunks integer NOT NULL DEFAULT 0,
      words integer NOT NULL DEFAULT 0,
      characters integer NOT NULL DEFAULT 0,
      model text,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      processed_at timestamptz,
      CONSTRAINT one_document_per_name UNIQUE (organization_id, document_id),
      CONSTRAINT processed CHECK ((searched_revision IS NULL) = (processed_at IS NULL) AND (searched_revision IS NULL) = (model IS NULL)),
      CONSTRAINT known_revision CHECK (searched_revision <= revision)
    )`
  yield* sql`CREATE INDEX documents_by_organization ON documents (organization_id, created_at DESC, key DESC)`
  yield* sql`CREATE INDEX documents_by_submitter ON documents (submitted_by)`

  // A chunk without a place was handed in by a task that has not completed; it is found by no search.
  yield* sql`
    CREATE TABLE document_chunks (
      id uuid PRIMARY KEY,
      document uuid NOT NULL REFERENCES documents (key) ON DELETE CASCADE,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      place integer,
      start_at integer,
      core_at integer,
      end_at integer,
      heading_path encrypted_text NOT NULL,
      content encrypted_text NOT NULL,
      word_digests bigint[] NOT NULL,
      word_count integer NOT NULL,
      model text NOT NULL,
      embedding real[] NOT NULL,
      CONSTRAINT placed CHECK (num_nulls(place, start_at, core_at, end_at) IN (0, 4)),
      CONSTRAINT in_order CHECK (0 <= start_at AND start_at <= core_at AND core_at < end_at)
    ) WITH (fillfactor = 50)`
  // No index is about places: giving ten thousand chunks theirs must not write ten thousand entries of an HNSW index anew.
  yield* sql`CREATE INDEX document_chunks_by_document ON document_chunks (document)`
  yield* sql`CREATE INDEX document_chunks_by_organization ON document_chunks (organization_id, model) INCLUDE (word_count)`
  yield* sql`CREATE INDEX document_chunks_by_word ON document_chunks USING gin (word_digests)`
})
