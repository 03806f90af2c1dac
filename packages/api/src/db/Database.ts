/**
 * The connection pool to PostgreSQL. Connections open on demand, so that building the layer needs no running server;
 * whoever uses it meets an absent server as a `SqlError` that `outageOf` recognizes.
 *
 * Nobody waits without end: for a free connection, for a new one, for an answer. A statement that takes too long is ended by
 * PostgreSQL; where PostgreSQL itself hangs, the connection is broken a second later.
 *
 * `listen` holds one connection of the pool for as long as it listens: a pool of one hangs.
 */
import { PgClient, type PgConnection, PgPool } from "@effect/sql-pg"
import { Context, Duration, Effect, Layer, Predicate, type Redacted } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type { Acquirer, Borrower, Connection } from "effect/sql/SqlConnection"
import { make as makeSqlClient, SqlClient } from "effect/sql/SqlClient"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as AnswerDeadline from "./AnswerDeadline.ts"
import { Channels } from "./Channels.ts"
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

const layer = (options: DatabaseOptions): Layer.Layer<Channels | SqlClient, SqlError> =>
  Layer.effectContext(Effect.gen(function*() {
    const statement = Duration.fromInputUnsafe(options.statementTimeout ?? "5 seconds")
    const limited = Duration.isFinite(statement)
    const maxConnections = Math.max(2, options.maxConnections ?? 10)
    const pool = yield* PgPool.make({
      url: options.url,
      maxConnections,
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
    const { held, ...connections } = lending(pool, { watch, maxConnections, acquireTimeout: options.acquireTimeout ?? "2 seconds" })
    const sql = yield* makeSqlClient({
      ...connections,
      transactionAcquirer: connections.acquirer,
      driver: "pg",
      compiler: PgClient.makeCompiler(),
      spanAttributes: [["db.system.name", "postgresql"]],
      prepareTransactionControls: true,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      commit
    })
    return Context.make(SqlClient, sql).pipe(Context.add(
      Channels,
      Channels.of({
        listen: (channel) => Effect.flatMap(held, (connection) => connection.listen(channel)),
        notify: (channel, payload) => Effect.asVoid(sql`SELECT pg_notify(${channel}, ${payload})`)
      })
    ))
  })).pipe(Layer.provide(Reactivity.layer))

export const Database = { layer } as const

/** PostgreSQL's own limit comes first: its answer says more, and keeps the connection. */
const GRACE_MS = 1_000

/**
 * The pool's connections, with a limit for the wait for one and an eye on whether PostgreSQL answers. A statement outside of a
 * transaction borrows one, which costs half of what it costs to hold one in a scope.
 */
const lending = (pool: PgPool.PgPool, { acquireTimeout, maxConnections, watch }: {
  readonly watch: OutageWatch.OutageWatch
  readonly maxConnections: number
  readonly acquireTimeout: Duration.Input
}): { readonly acquirer: Acquirer; readonly borrower: Borrower; readonly held: PgPool.PgPool["reserve"] } => {
  /** Who has a connection or waits for one. */
  let takers = 0
  const come = Effect.sync(() => {
    takers += 1
  })
  const go = Effect.sync(() => {
    takers -= 1
  })
  const told = new WeakMap<PgConnection.PgConnection, Connection>()
  const connectionOf = (connection: PgConnection.PgConnection): Connection => {
    const known = told.get(connection) ?? watched(connection, watch)
    told.set(connection, known)
    return known
  }
  /** For as long as the scope lives. */
  const held = Effect.andThen(Effect.acquireRelease(come, () => go), pool.reserve)
  const acquirer = held.pipe(
    Effect.timeoutOrElse({ duration: acquireTimeout, orElse: () => Effect.fail(noConnection(acquireTimeout)) }),
    StatementMetrics.acquisition,
    Effect.tapError(watch.failed),
    Effect.map(connectionOf)
  )
  /** Nobody waits for another's connection as long as there is one for each; opening one has its own limit. */
  const lent: Borrower = (f) =>
    StatementMetrics.loan((began) =>
      pool.use((connection) => {
        began()
        return f(connectionOf(connection))
      }), watch.failed)
  return {
    held,
    acquirer,
    borrower: (f) =>
      Effect.suspend(() =>
        takers >= maxConnections ? Effect.scoped(Effect.flatMap(acquirer, f)) : Effect.acquireUseRelease(come, () => lent(f), () => go))
  }
}

const watched = (connection: PgConnection.PgConnection, watch: OutageWatch.OutageWatch): Connection => {
  const run = (sql: string, params: ReadonlyArray<unknown>, prepare = true) => connection.query(sql, params, prepare)
  const observe = <A>(statement: Effect.Effect<A, SqlError>) => StatementMetrics.statement(watch.observe(statement))
  return {
    execute: (sql, params) =>
      endsWhatFailed(sql)
        // What a lost connection had begun, PostgreSQL has rolled back; after a savepoint that counts for nothing, COMMIT says so.
        ? Effect.catchIf(Effect.map(run(sql, params), rowsOf), isLost, () => Effect.succeed([]))
        : observe(Effect.map(run(sql, params), rowsOf)),
    executeRaw: (sql, params) => observe(run(sql, params)),
    executeStream: (sql, params) => connection.stream(sql, params),
    executeValues: (sql, params) => observe(connection.queryValues(sql, params)),
    executeValuesUnprepared: (sql, params) => observe(connection.queryValues(sql, params, false)),
    executeUnprepared: (sql, params) => observe(Effect.map(run(sql, params, false), rowsOf))
  }
}

const rowsOf = ({ rows }: PgConnection.Result) => rows

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
