/** The last run of each nightly job. The database decides whose run it is: there is one at a time. */
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export type StartedBy = "schedule" | "admin"

const Row = Schema.Struct({
  name: Schema.String,
  started_at: Schema.DateTimeUtcFromDate,
  ended_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  started_by: Schema.Literals(["schedule", "admin"]),
  outcome: Schema.NullOr(Schema.Literals(["completed", "failed"])),
  removed: Schema.NullOr(Schema.Int),
  /** Under way for longer than a run may take: its server is gone. */
  given_up: Schema.Boolean
})
export type JobRun = typeof Row.Type

/** A run that has not ended by then never will. */
const LONGEST = `${Duration.toSeconds(Duration.hours(1))} seconds`

export class JobRepo extends Context.Service<JobRepo, {
  readonly list: Effect.Effect<ReadonlyArray<JobRun>, SqlError>
  /** False where a run is under way. `run` names this one. */
  readonly begin: (name: string, run: string, by: StartedBy) => Effect.Effect<boolean, SqlError>
  /** Nothing where another run has begun since. `removed`: null where it failed. */
  readonly end: (name: string, run: string, removed: number | null) => Effect.Effect<void, SqlError>
}>()("@englog/api/replicas/JobRepo") {
  static readonly layer = Layer.effect(
    JobRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      JobRepo.of({
        list: sql`
          SELECT name, started_at, ended_at, started_by, outcome, removed,
            ended_at IS NULL AND started_at < now() - ${LONGEST}::text::interval AS given_up
          FROM jobs ORDER BY name`.pipe(
          Effect.flatMap((rows) => Effect.orDie(decodeRows(rows))),
          Effect.withSpan("JobRepo.list")
        ),
        begin: Effect.fn("JobRepo.begin")((name, run, by) =>
          Effect.map(
            sql`
              INSERT INTO jobs (name, started_at, started_by, run) VALUES (${name}, now(), ${by}, ${run}::uuid)
              ON CONFLICT (name) DO UPDATE SET started_at = now(), started_by = excluded.started_by, run = excluded.run, ended_at = NULL,
                outcome = NULL, removed = NULL
              WHERE jobs.ended_at IS NOT NULL OR jobs.started_at < now() - ${LONGEST}::text::interval
              RETURNING name`,
            (rows) => rows.length > 0
          )
        ),
        end: Effect.fn("JobRepo.end")((name, run, removed) =>
          Effect.asVoid(sql`
            UPDATE jobs SET ended_at = now(), outcome = ${removed === null ? "failed" : "completed"}, removed = ${removed}::int
            WHERE name = ${name} AND run = ${run}::uuid`)
        )
      }))
  )
}

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
