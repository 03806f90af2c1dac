/**
 * The connection pool to PostgreSQL. Connections open on demand, so that building the layer needs no running server;
 * whoever uses it meets an absent server as a `SqlError` that `outageOf` recognizes.
 *
 * Nobody waits without end: for a free connection, for a new one, for an answer. A statement that takes too long is ended by
 * PostgreSQL; where PostgreSQL itself hangs, the connection is broken a second later.
 *
 * `listen` holds one connection of the pool for as long as it listens: a pool of one hangs.
 */
import { PgClient } from "@effect/sql-pg"
import { Duration, Effect, type Layer, Predicate, type Redacted } from "effect"
import type { Connection } from "effect/sql/SqlConnection"
import { make as makeSqlClient, type SqlClient } from "effect/sql/SqlClient"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as AnswerDeadline from "./AnswerDeadline.ts"
import { outageOf } from "./Outage.ts"
import * as OutageWatch from "./OutageWatch.ts"
import * as StatementMetrics from "./StatementMetrics.ts"

export interface DatabaseOptions {
  readonly url: Redacted.Redacted
  /** Default 10; at least 2. */
  readonly maxConnections?: number
  /** Shown in `pg_stat_activity`; default `englog`. */
  readonly applicationName?: string
  /** For a new connection; default 2 seconds. */
  readonly connectTimeout?: Duration.Input
  /** For a free connection; default 2 seconds. */
  readonly acquireTimeout?: Duration.Input
  /** For one statement; default 5 seconds. Infinite: for as long as it takes. */
  readonly statementTimeout?: Duration.Input
  /** Startup parameters of each connection beside those that all have. */
  readonly settings?: Readonly<Record<string, string>>
  /** Says in the log when PostgreSQL stops answering, and when it answers again. */
  readonly tellsOutages?: boolean
}

const layer = (options: DatabaseOptions): Layer.Layer<PgClient.PgClient | SqlClient, SqlError> =>
  PgClient.layerFrom(Effect.gen(function*() {
    const statement = Duration.fromInputUnsafe(options.statementTimeout ?? "5 seconds")
    const limited = Duration.isFinite(statement)
    const client = yield* PgClient.make({
      url: options.url,
      maxConnections: Math.max(2, options.maxConnections ?? 10),
      applicationName: options.applicationName ?? "englog",
      startupParameters: {
        // Short statements, prepared once: planning each anew costs more than running it (claims: 1 of 4 ms).
        plan_cache_mode: "force_generic_plan",
        jit: "off",
        ...options.settings,
        ...(limited ? { statement_timeout: String(Duration.toMillis(statement)), idle_in_transaction_session_timeout: "30000" } : {})
      },
      connectTimeout: options.connectTimeout ?? "2 seconds",
      ...(limited
        ? { stream: () => AnswerDeadline.open(AnswerDeadline.addressOf(options.url), Duration.toMillis(statement) + GRACE_MS) }
        : {})
    })
    const watch = options.tellsOutages === true ? yield* OutageWatch.make : OutageWatch.silent
    return yield* bounded(client, watch, options.acquireTimeout ?? "2 seconds")
  }))

export const Database = { layer } as const

/** PostgreSQL's own limit comes first: its answer says more, and keeps the connection. */
const GRACE_MS = 1_000

/** The same client, with a limit for the wait for a connection and an eye on whether PostgreSQL answers. */
const bounded = Effect.fnUntraced(function*(client: PgClient.PgClient, watch: OutageWatch.OutageWatch, limit: Duration.Input) {
  const acquirer = client.reserve.pipe(
    Effect.timeoutOrElse({ duration: limit, orElse: () => Effect.fail(noConnection(limit)) }),
    StatementMetrics.acquisition,
    Effect.tapError(watch.failed),
    Effect.map((connection) => watched(connection, watch))
  )
  const sql = yield* makeSqlClient({
    acquirer,
    transactionAcquirer: acquirer,
    compiler: PgClient.makeCompiler(),
    driver: client.driver,
    spanAttributes: [["db.system.name", "postgresql"]],
    prepareTransactionControls: true,
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    commit
  })
  return Object.assign(sql, {
    [PgClient.TypeId]: PgClient.TypeId,
    config: client.config,
    json: client.json,
    listen: client.listen,
    notify: (channel: string, payload: string) => Effect.asVoid(sql`SELECT pg_notify(${channel}, ${payload})`)
  })
})

const watched = (connection: Connection, watch: OutageWatch.OutageWatch): Connection => {
  const observe = <A>(run: Effect.Effect<A, SqlError>) => StatementMetrics.statement(watch.observe(run))
  return {
    execute: (sql, params, transform) =>
      endsWhatFailed(sql)
        // What a lost connection had begun, PostgreSQL has rolled back; after a savepoint that counts for nothing, COMMIT says so.
        ? Effect.catchIf(connection.execute(sql, params, transform), isLost, () => Effect.succeed([]))
        : observe(connection.execute(sql, params, transform)),
    executeRaw: (sql, params) => observe(connection.executeRaw(sql, params)),
    executeStream: connection.executeStream,
    executeValues: (sql, params) => observe(connection.executeValues(sql, params)),
    executeValuesUnprepared: (sql, params) => observe(connection.executeValuesUnprepared(sql, params)),
    executeUnprepared: (sql, params, transform) => observe(connection.executeUnprepared(sql, params, transform))
  }
}

/** Effect's SqlClient takes an error of these for a bug. */
const endsWhatFailed = (sql: string): boolean =>
  sql === "ROLLBACK" || sql.startsWith("ROLLBACK TO SAVEPOINT ") || sql.startsWith("RELEASE SAVEPOINT ")

const isLost = (error: SqlError): boolean => outageOf(error) === "away"

const noConnection = (limit: Duration.Input) => {
  const message = `no connection to PostgreSQL became free within ${Duration.format(Duration.fromInputUnsafe(limit))}`
  return new SqlError({ reason: new ConnectionError({ cause: new Error(message), message, operation: "acquire" }) })
}

/** PostgreSQL answers the COMMIT of a transaction that failed before with ROLLBACK. */
const commit = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) => {
    if (!Predicate.hasProperty(result, "command") || result.command !== "ROLLBACK") return Effect.void
    const message = "a transaction that had failed was rolled back"
    return Effect.fail(new SqlError({ reason: new UnknownError({ cause: new Error(message), message, operation: "commit" }) }))
  })
