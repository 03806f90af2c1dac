/**
 * Uploads of documents that go on after their connection was lost (docs/decisions/0048): their bytes wait for the rest as long as whole
 * ones wait for a document. And one mark of what changed among entries, for roll-ups and metrics alike (docs/decisions/0049): both have
 * read it before it goes. The transaction of every write makes it, whoever writes: a trigger does it.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** What figures are made of. */
const figures = "e.user_id, e.start_time, e.duration_minutes, e.type, e.value_rating, e.impact_level, e.project_id"
const changed = {
  INSERT: "SELECT e.user_id, e.start_time FROM added e",
  DELETE: "SELECT e.user_id, e.start_time FROM removed e",
  // What only changes a text, a new key for instance, leaves figures as they are.
  UPDATE: `SELECT x.user_id, x.start_time FROM (
      (SELECT e.id, ${figures} FROM removed e EXCEPT SELECT e.id, ${figures} FROM added e)
      UNION ALL (SELECT e.id, ${figures} FROM added e EXCEPT SELECT e.id, ${figures} FROM removed e)
    ) x`
} as const

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE document_uploads ADD COLUMN resumable boolean NOT NULL DEFAULT false`

  yield* sql`
    CREATE TABLE entry_marks (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      -- Whose roll-up is not right any more; null where the change is on a day without one.
      day date,
      -- The metrics have it already.
      measured boolean NOT NULL DEFAULT false,
      marked_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT of_use CHECK (day IS NOT NULL OR NOT measured)
    )`
  yield* sql`CREATE INDEX entry_marks_by_day ON entry_marks (user_id, day)`
  yield* sql`CREATE INDEX entry_marks_unmeasured ON entry_marks (user_id, marked_at) WHERE NOT measured`
  yield* sql`INSERT INTO entry_marks (user_id, day, measured) SELECT DISTINCT user_id, day, true FROM stale_days`
  yield* sql`INSERT INTO entry_marks (user_id, marked_at) SELECT user_id, stale_since FROM user_metrics WHERE stale_since IS NOT NULL`
  yield* sql`DROP TABLE stale_days`
  yield* sql`ALTER TABLE user_metrics DROP COLUMN stale_since`

  // Writers share a lock, whoever takes marks away has it alone (RollupRepo, UserMetricsRepo): so a mark that a writer finds is still
  // there when its change is committed, and no second one is needed. Writers only add marks: none of them waits for another one.
  for (const operation of ["INSERT", "UPDATE", "DELETE"] as const) {
    yield* sql`
      CREATE OR REPLACE FUNCTION ${sql.literal(`days_change_on_${operation.toLowerCase()}`)}() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(7365, hashtext(u.id::text))
        FROM users u WHERE u.id IN (SELECT c.user_id FROM (${sql.literal(changed[operation])}) c) ORDER BY u.id;
        INSERT INTO entry_marks (user_id, day)
        SELECT x.user_id, x.day FROM (
          SELECT DISTINCT c.user_id, r.day FROM (${sql.literal(changed[operation])}) c
          JOIN users u ON u.id = c.user_id
          LEFT JOIN day_rollups r ON r.user_id = c.user_id AND r.starts_at <= c.start_time AND c.start_time < r.ends_at) x
        WHERE NOT EXISTS (SELECT 1 FROM entry_marks m WHERE m.user_id = x.user_id AND m.day IS NOT DISTINCT FROM x.day AND NOT m.measured);
        RETURN NULL;
      END $$`
  }
})
