/**
 * Roll-ups of days (docs/decisions/0033). One is right as long as it has no mark in `stale_days`, which the transaction of
 * every write that changes its figures makes, whoever writes: a trigger does it.
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
const tables = {
  INSERT: "NEW TABLE AS added",
  DELETE: "OLD TABLE AS removed",
  UPDATE: "OLD TABLE AS removed NEW TABLE AS added"
} as const

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE day_rollups (
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      -- The local day in this zone, and where it begins and ends by the zone tables of the program that computed it.
      day date NOT NULL,
      timezone text NOT NULL,
      starts_at timestamptz NOT NULL,
      ends_at timestamptz NOT NULL,
      -- Sums of whole numbers for each project.
      projects jsonb NOT NULL,
      computed_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, day),
      CONSTRAINT valid_day CHECK (ends_at > starts_at)
    )`
  yield* sql`
    CREATE TABLE stale_days (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      user_id uuid NOT NULL,
      day date NOT NULL,
      FOREIGN KEY (user_id, day) REFERENCES day_rollups (user_id, day) ON DELETE CASCADE
    )`
  yield* sql`CREATE INDEX stale_days_by_day ON stale_days (user_id, day)`

  // Writers share a lock, whoever stores roll-ups has it alone (RollupRepo): so it knows of every write, and every write of it.
  // Marks are only added: no writer waits for another one. Nobody's days are left where the user goes with the entries.
  for (const operation of ["INSERT", "UPDATE", "DELETE"] as const) {
    const name = sql.literal(`days_change_on_${operation.toLowerCase()}`)
    yield* sql`
      CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(7365, hashtext(u.id::text))
        FROM users u WHERE u.id IN (SELECT c.user_id FROM (${sql.literal(changed[operation])}) c) ORDER BY u.id;
        INSERT INTO stale_days (user_id, day)
        SELECT DISTINCT r.user_id, r.day FROM (${sql.literal(changed[operation])}) c
        JOIN users u ON u.id = c.user_id
        JOIN day_rollups r ON r.user_id = c.user_id AND r.starts_at <= c.start_time AND c.start_time < r.ends_at;
        RETURN NULL;
      END $$`
    yield* sql`
      CREATE TRIGGER ${name} AFTER ${sql.literal(operation)} ON log_entries
      REFERENCING ${sql.literal(tables[operation])} FOR EACH STATEMENT EXECUTE FUNCTION ${name}()`
  }
})
