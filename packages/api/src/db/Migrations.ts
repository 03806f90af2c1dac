/**
 * Brings the database up to this version of the code by the append-only steps of `migrations/history.ts`.
 *
 * All pending steps and their record commit as one transaction under an advisory lock: of two processes that start on
 * the same empty database, one migrates and the other finds nothing left to do. The record must be a prefix of the history:
 * a database that is newer, or that took another path, is refused rather than guessed at.
 */
import { Effect, Layer, Schema } from "effect"
import { Migrator, SqlClient, SqlSchema } from "effect/sql"
import { history } from "../../../../migrations/history.ts"

/** The database cannot be brought up to this code; `message` says why and what to do. */
export class MigrationsError extends Schema.TaggedError<MigrationsError>()("MigrationsError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

const table = "englog_migrations"
/** Any fixed number will do; it only has to be the same in every process that migrates. */
const advisoryLock = 7_364_839_201

const Recorded = Schema.Struct({ migration_id: Schema.Int, name: Schema.String })

/** Steps by `NNNN_name`. */
export type History = Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>>

/** Applies what is pending of `of`; answers the ids and names that this call applied, in order. */
const run = Effect.fn("Migrations.run")(
  function*(of: History) {
    const sql = yield* SqlClient.SqlClient
    return yield* sql.withTransaction(Effect.gen(function*() {
      yield* sql`SELECT pg_advisory_xact_lock(${advisoryLock})`
      const steps = yield* Migrator.fromRecord(of)
      yield* refuseAnotherHistory(yield* recorded(sql), steps)
      return yield* Migrator.make({})({ loader: Effect.succeed(steps), table })
    }))
  },
  Effect.catchTags({
    SqlError: (cause) => new MigrationsError({ message: `The database could not be migrated${reasonOf(cause)}`, cause }),
    SchemaError: (cause) =>
      new MigrationsError({ message: `The table ${table} holds something else than migrations: ${cause.message}`, cause }),
    MigrationError: (cause) => new MigrationsError({ message: `${cause.message}${reasonOf(cause.cause)}`, cause })
  })
)

const layer: Layer.Layer<never, MigrationsError, SqlClient.SqlClient> = Layer.effectDiscard(run(history))

export const Migrations = { history, run, layer } as const

const recorded = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  const exists = yield* sql`SELECT 1 AS one WHERE to_regclass(${table}) IS NOT NULL`
  return exists.length === 0 ? [] : yield* SqlSchema.findAll({
    Request: Schema.Void,
    Result: Recorded,
    execute: () => sql`SELECT migration_id, name FROM ${sql(table)} ORDER BY migration_id`
  })(undefined)
})

const refuseAnotherHistory = (
  applied: ReadonlyArray<typeof Recorded.Type>,
  steps: ReadonlyArray<Migrator.ResolvedMigration>
): Effect.Effect<void, MigrationsError> => {
  const byId = new Map(steps.map(([id, name]) => [id, name]))
  const ids = new Set(applied.map((row) => row.migration_id))
  const newest = applied.at(-1)
  const unknown = applied.find((row) => !byId.has(row.migration_id))
  const renamed = applied.find((row) => byId.has(row.migration_id) && byId.get(row.migration_id) !== row.name)
  const skipped = steps.find(([id]) => newest !== undefined && id < newest.migration_id && !ids.has(id))
  return unknown !== undefined
    ? new MigrationsError({
      message: `The database is newer than this program: it has migration ${unknown.migration_id} (${unknown.name}), ` +
        `which this version does not know. Start the newer version, or restore a backup from before that migration.`
    })
    : renamed !== undefined
    ? new MigrationsError({
      message: `Migration ${renamed.migration_id} was applied as ${renamed.name} but is called ` +
        `${byId.get(renamed.migration_id)} here. Migrations are append-only: restore the one that was applied.`
    })
    : skipped !== undefined
    ? new MigrationsError({
      message: `Migration ${skipped[0]} (${skipped[1]}) was never applied although ${newest?.migration_id} was. ` +
        `Migrations are append-only: give it the next free number.`
    })
    : Effect.void
}

/** PostgreSQL's own sentence, which the client keeps at the bottom of the chain of causes. */
const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? (cause.cause instanceof Error ? reasonOf(cause.cause) : `: ${cause.message}`) : ""
