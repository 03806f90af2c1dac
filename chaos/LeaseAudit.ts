/**
 * The database's own word on who held what and when: triggers that the run adds to the tables of the queue. They write in the
 * transaction that they watch, so that what was rolled back is not told, and what was committed is, whoever wrote it.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"

/** A claim, a release, or a change of holder of one attempt. */
export const LeaseChange = Schema.Struct({
  /** Order of writing. */
  n: Schema.Int,
  /** Milliseconds since the epoch by the database's clock. */
  at: Schema.Finite,
  task: Schema.String,
  what: Schema.Literals(["claim", "move", "release"]),
  attempt: Schema.Int,
  worker: Schema.NullOr(Schema.String),
  session: Schema.NullOr(Schema.String),
  /** The session was neither over nor out of its lease. */
  lease_valid: Schema.Boolean
})
export type LeaseChange = typeof LeaseChange.Type

/** A terminal record that was written, or written over. */
export const OutcomeChange = Schema.Struct({
  n: Schema.Int,
  at: Schema.Finite,
  task: Schema.String,
  before: Schema.NullOr(Schema.String),
  after: Schema.NullOr(Schema.String),
  attempt: Schema.NullOr(Schema.Int)
})
export type OutcomeChange = typeof OutcomeChange.Type

export const install = Effect.fn("LeaseAudit.install")(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE chaos_leases (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    task bigint NOT NULL, what text NOT NULL, attempt integer NOT NULL, worker text, session uuid, lease_valid boolean NOT NULL)`
  yield* sql`CREATE TABLE chaos_outcomes (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    task bigint NOT NULL, before text, after text, attempt integer)`
  yield* sql`CREATE FUNCTION chaos_note(task bigint, what text, attempt integer, worker text, session uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO chaos_leases (task, what, attempt, worker, session, lease_valid)
    SELECT task, what, attempt, worker, session, EXISTS (
      SELECT 1 FROM worker_sessions s WHERE s.id = session AND s.ended_at IS NULL AND s.lease_until >= clock_timestamp()) $$`
  yield* sql`CREATE FUNCTION chaos_lease() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE held boolean := TG_OP <> 'INSERT' AND OLD.state = 'running';
            holds boolean := TG_OP <> 'DELETE' AND NEW.state = 'running';
    BEGIN
      IF held AND NOT holds THEN
        PERFORM chaos_note(OLD.id, 'release', OLD.attempt, OLD.worker_id, OLD.session_id);
      ELSIF holds AND NOT held THEN
        PERFORM chaos_note(NEW.id, 'claim', NEW.attempt, NEW.worker_id, NEW.session_id);
      ELSIF held AND holds AND OLD.attempt <> NEW.attempt THEN
        PERFORM chaos_note(OLD.id, 'release', OLD.attempt, OLD.worker_id, OLD.session_id);
        PERFORM chaos_note(NEW.id, 'claim', NEW.attempt, NEW.worker_id, NEW.session_id);
      ELSIF held AND holds AND OLD.session_id <> NEW.session_id THEN
        PERFORM chaos_note(NEW.id, 'move', NEW.attempt, NEW.worker_id, NEW.session_id);
      END IF;
      RETURN NULL;
    END $$`
  yield* sql`CREATE FUNCTION chaos_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' THEN
        INSERT INTO chaos_outcomes (task, before, after, attempt) VALUES (OLD.id, OLD.outcome, 'deleted', OLD.attempt);
      ELSIF TG_OP = 'INSERT' THEN
        IF NEW.outcome IS NOT NULL THEN
          INSERT INTO chaos_outcomes (task, before, after, attempt) VALUES (NEW.id, NULL, NEW.outcome, NEW.attempt);
        END IF;
      ELSIF NEW.outcome IS NOT NULL OR OLD.outcome IS NOT NULL THEN
        INSERT INTO chaos_outcomes (task, before, after, attempt) VALUES (NEW.id, OLD.outcome, NEW.outcome, NEW.attempt);
      END IF;
      RETURN NULL;
    END $$`
  yield* sql`CREATE TRIGGER chaos_lease AFTER INSERT OR UPDATE OR DELETE ON task_queue FOR EACH ROW EXECUTE FUNCTION chaos_lease()`
  yield* sql`CREATE TRIGGER chaos_outcome AFTER INSERT OR UPDATE OR DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION chaos_outcome()`
})

export const leaseChanges = Effect.fn("LeaseAudit.leaseChanges")(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT c.n::int AS n, extract(epoch FROM c.at)::float8 * 1000 AS at, t.task_id AS task, c.what, c.attempt, c.worker, c.session, c.lease_valid
    FROM chaos_leases c JOIN tasks t ON t.id = c.task ORDER BY c.n`
  return yield* decodeLeases(rows)
})

export const outcomeChanges = Effect.fn("LeaseAudit.outcomeChanges")(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT c.n::int AS n, extract(epoch FROM c.at)::float8 * 1000 AS at, t.task_id AS task, c.before, c.after, c.attempt
    FROM chaos_outcomes c JOIN tasks t ON t.id = c.task ORDER BY c.n`
  return yield* decodeOutcomes(rows)
})

const decodeLeases = Schema.decodeUnknownEffect(Schema.Array(LeaseChange))
const decodeOutcomes = Schema.decodeUnknownEffect(Schema.Array(OutcomeChange))
