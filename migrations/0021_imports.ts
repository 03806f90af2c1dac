/**
 * Imports and their inbox: what other systems say was done waits as a proposal until its owner decides (docs/decisions/0036). An
 * entry that came of one knows where it came from.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    ALTER TABLE log_entries ADD COLUMN source varchar(30), ADD COLUMN source_id encrypted_text,
      ADD CONSTRAINT named_in_source CHECK ((source IS NULL) = (source_id IS NULL))`

  yield* sql`
    CREATE TABLE imports (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      source text NOT NULL,
      -- Keyed: what is not among the items of a later import from the same place is gone there. Null: a file says nothing about others.
      feed_digest bytea,
      period_from timestamptz,
      period_to timestamptz,
      -- The task of the part that is read now, or that was the last.
      task_id text NOT NULL,
      part integer NOT NULL DEFAULT 1 CHECK (part > 0),
      created integer NOT NULL DEFAULT 0 CHECK (created >= 0),
      updated integer NOT NULL DEFAULT 0 CHECK (updated >= 0),
      corrections integer NOT NULL DEFAULT 0 CHECK (corrections >= 0),
      removed integer NOT NULL DEFAULT 0 CHECK (removed >= 0),
      unchanged integer NOT NULL DEFAULT 0 CHECK (unchanged >= 0),
      skipped integer NOT NULL DEFAULT 0 CHECK (skipped >= 0),
      problem_count integer NOT NULL DEFAULT 0 CHECK (problem_count >= 0),
      problems encrypted_text,
      -- Partial: it stopped at the largest size of an import. Null: it has not ended, or its task ended without it.
      outcome text CHECK (outcome IN ('completed', 'partial')),
      created_at timestamptz NOT NULL DEFAULT now(),
      completed_at timestamptz,
      CONSTRAINT completed_with_outcome CHECK ((completed_at IS NULL) = (outcome IS NULL))
    )`
  yield* sql`CREATE INDEX imports_by_user ON imports (user_id, created_at DESC, id DESC)`

  yield* sql`
    CREATE TABLE proposals (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      -- The last one that had it.
      import_id uuid REFERENCES imports (id) ON DELETE SET NULL,
      source varchar(30) NOT NULL,
      -- Keyed, of its name in the source: one proposal for each.
      item_digest bytea NOT NULL,
      -- Keyed, of everything that the source says about it.
      content_digest bytea NOT NULL,
      feed_digest bytea,
      -- JSON of all that is text.
      content encrypted_text NOT NULL,
      start_time timestamptz NOT NULL,
      end_time timestamptz NOT NULL,
      all_day boolean NOT NULL,
      -- Not there any more: cancelled, declined or deleted.
      removed boolean NOT NULL,
      -- Open with an entry: the source has changed since it was accepted.
      state text NOT NULL CHECK (state IN ('open', 'accepted', 'dismissed')),
      entry_id uuid REFERENCES log_entries (id) ON DELETE SET NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT once_per_item UNIQUE (user_id, source, item_digest),
      CONSTRAINT some_time CHECK (end_time > start_time)
    )`
  yield* sql`CREATE INDEX proposals_open ON proposals (user_id, start_time, id) WHERE state = 'open'`
  yield* sql`CREATE INDEX proposals_of_feed ON proposals (user_id, feed_digest, start_time) WHERE feed_digest IS NOT NULL`
  yield* sql`CREATE INDEX proposals_by_import ON proposals (import_id)`
  yield* sql`CREATE INDEX proposals_by_entry ON proposals (entry_id)`
})
