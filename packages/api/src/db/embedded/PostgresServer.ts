/**
 * One PostgreSQL server on a home: found, started, asked, stopped. Only the holder of the home's owner lock may start or
 * stop it.
 *
 * The server is a session of its own: Ctrl-C in a terminal reaches the API, which drains and then stops it. A
 * server whose owner was killed goes on; the next owner finds it by `postmaster.pid` and its cluster name.
 */
import { Effect, FileSystem, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import * as path from "node:path"
import { Database } from "../Database.ts"
import { EmbeddedPostgresError, filesError } from "./EmbeddedPostgresError.ts"
import { KeptFile } from "./KeptFile.ts"
import { LoopbackPort } from "./LoopbackPort.ts"
import type { PostgresBinaries } from "./PostgresBinaries.ts"
import { environment, lastLines, superuser } from "./PostgresCluster.ts"
import type { PostgresHome } from "./PostgresHome.ts"
import { ProcessTable } from "./ProcessTable.ts"

export interface Postmaster {
  readonly pid: number
  readonly port: number
}

export interface ServerPlan {
  readonly home: PostgresHome
  readonly binaries: PostgresBinaries
  /** Server settings beyond the built-in ones. */
  readonly settings: Readonly<Record<string, string>>
}

const database = "englog"

/** The server that runs on this home, whoever started it; undefined where none does. */
const find = Effect.fnUntraced(function*(home: PostgresHome) {
  const text = (yield* KeptFile.read(path.join(home.data, "postmaster.pid")).pipe(Effect.orElseSucceed(() => undefined))) ?? ""
  // Lines of postmaster.pid: pid, data folder, start time, port (storage/lmgr: "Lock file data").
  const lines = text.split("\n").map((line) => line.trim())
  const postmaster = { pid: Number(lines[0]), port: Number(lines[3]) }
  if (!(postmaster.pid > 0) || !(postmaster.port > 0)) return undefined
  return (yield* isPostmaster(home, postmaster.pid)) ? postmaster : undefined
})

const isPostmaster = (home: PostgresHome, pid: number) =>
  Effect.map(ProcessTable.find(pid), (found) => found !== undefined && !isBackend(found.command) && found.command.includes(home.clusterName))

/** The server, its backends and what is left of an earlier one. */
const processesOf = (home: PostgresHome) =>
  Effect.map(ProcessTable.list, (all) => all.filter(({ command }) => command.includes(home.clusterName)))

const isBackend = (command: string): boolean => command.startsWith("postgres: ")

/** Starts a server; answers when its process runs, which is before it takes connections. */
const start = Effect.fn("PostgresServer.start")(
  function*(plan: ServerPlan, port: number) {
    yield* removeRemains(plan.home)
    const fs = yield* FileSystem.FileSystem
    const { size } = yield* fs.stat(plan.home.log).pipe(Effect.orElseSucceed(() => ({ size: 0n })))
    if (Number(size) > 10_000_000) yield* fs.rename(plan.home.log, `${plan.home.log}.1`)
    return yield* Effect.acquireUseRelease(
      Effect.try({ try: () => openSync(plan.home.log, "a", 0o600), catch: (cause) => filesError("write the database's log")({ message: String(cause) }) }),
      (log) => launch(plan, port, log),
      (log) => Effect.sync(() => closeSync(log))
    )
  },
  Effect.uninterruptible,
  (effect, { home }) => Effect.catchTag(effect, "PlatformError", filesError(`start the database in ${home.folder}`))
)

const launch = (plan: ServerPlan, port: number, log: number) =>
  Effect.callback<Postmaster, EmbeddedPostgresError>((resume) => {
    const settings = {
      cluster_name: plan.home.clusterName,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      max_connections: "200",
      timezone: "UTC",
      log_timezone: "UTC",
      // What a refused statement says quotes rows and values; whoever sent it is told, and its SQLSTATE is in our own log.
      log_min_messages: "log",
      log_error_verbosity: "terse",
      log_min_error_statement: "panic",
      ...plan.settings
    }
    const child = spawn(
      plan.binaries.postgres,
      ["-D", plan.home.data, "-p", String(port), ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      { ...plan.home.user, cwd: "/", env: environment, detached: true, stdio: ["ignore", log, log] }
    )
    child.once("error", (cause) =>
      resume(Effect.fail(
        new EmbeddedPostgresError({
          reason: "Start",
          message: `${plan.binaries.postgres} could not be run: ${cause.message}. Set DATABASE_URL to use another PostgreSQL.`,
          cause
        })
      )))
    child.once("spawn", () => {
      child.unref()
      resume(child.pid === undefined ? Effect.never : Effect.succeed({ pid: child.pid, port }))
    })
  })

/**
 * What a killed server leaves: backends that still write to the shared memory, and a postmaster.pid whose pid may since
 * belong to somebody else. The file also guards the shared memory, so it goes only after the last backend has gone.
 */
const removeRemains = Effect.fnUntraced(function*(home: PostgresHome) {
  const fs = yield* FileSystem.FileSystem
  const remains = processesOf(home)
  const end = (name: NodeJS.Signals) => Effect.flatMap(remains, Effect.forEach(({ pid }) => ProcessTable.signal(pid, name)))
  const gone = remains.pipe(Effect.repeat({ until: (all) => all.length === 0, schedule: Schedule.spaced("20 millis") }))
  yield* end("SIGQUIT")
  yield* Effect.timeoutOrElse(gone, { duration: "500 millis", orElse: () => Effect.andThen(end("SIGKILL"), gone) })
  yield* fs.remove(path.join(home.data, "postmaster.pid"), { force: true })
})

/**
 * Answers when the server has answered a query, recovery after a crash included; fails when its process ends. A server
 * that answers proves by the password that it is this home's.
 */
const awaitReady = Effect.fn("PostgresServer.awaitReady")(function*(home: PostgresHome, postmaster: Postmaster) {
  const ask = Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const found = yield* sql`SELECT 1 AS one FROM pg_database WHERE datname = ${database}`
    if (found.length === 0) yield* sql`CREATE DATABASE ${sql(database)}`
  }).pipe(
    Effect.provide(Database.layer({ url: urlOf(home, postmaster.port, "postgres"), connectTimeout: "2 seconds" }), { local: true })
  )
  const alive = Effect.flatMap(isPostmaster(home, postmaster.pid), (runs) => runs ? Effect.void : Effect.flatMap(diedError(home), Effect.fail))
  yield* ask.pipe(
    Effect.catchTag("SqlError", (error) => Effect.andThen(alive, Effect.fail(error))),
    Effect.retry({ while: (error) => error._tag === "SqlError", schedule: Schedule.spaced("25 millis") }),
    Effect.catchTag("SqlError", () => Effect.flatMap(diedError(home), Effect.fail))
  )
})

/** Answers when the process has ended, however it ended. */
const awaitEnd = (home: PostgresHome, postmaster: Postmaster) =>
  isPostmaster(home, postmaster.pid).pipe(
    Effect.repeat({ until: (runs) => !runs, schedule: Schedule.spaced("100 millis") }),
    Effect.asVoid
  )

/** Open transactions are rolled back and clients disconnected; committed data is on disk either way. */
const stop = Effect.fn("PostgresServer.stop")(function*(home: PostgresHome) {
  const signal = (name: NodeJS.Signals) =>
    Effect.flatMap(processesOf(home), (all) =>
      Effect.forEach(all.filter(({ command }) => !isBackend(command)), ({ pid }) => ProcessTable.signal(pid, name)))
  const ended = processesOf(home).pipe(
    Effect.repeat({ until: (all) => all.length === 0, schedule: Schedule.spaced("20 millis") })
  )
  yield* signal("SIGINT")
  yield* Effect.timeoutOrElse(ended, { duration: "10 seconds", orElse: () => Effect.andThen(signal("SIGQUIT"), ended) })
})

/**
 * The port this home keeps. A new one is chosen where there is none yet, or where another program has taken it meanwhile
 * and nobody has been told it.
 */
const choosePort = Effect.fnUntraced(function*(home: PostgresHome) {
  const kept = Number(yield* KeptFile.read(home.port))
  if (kept > 0 && (yield* LoopbackPort.isFree(kept))) return kept
  const port = yield* LoopbackPort.free
  yield* KeptFile.write(home.port, String(port))
  return port
}, (effect, home) => Effect.catchTag(effect, "PlatformError", filesError(`keep a port in ${home.folder}`)))

/** The port that others have been told. */
const keptPort = (home: PostgresHome) =>
  KeptFile.read(home.port).pipe(Effect.map(Number), Effect.mapError(filesError(`read ${home.port}`)))

const urlOf = (home: PostgresHome, port: number, name: string = database) =>
  Redacted.make(`postgres://${superuser}:${Redacted.value(home.password)}@127.0.0.1:${port}/${name}`)

export const PostgresServer = { find, start, awaitReady, awaitEnd, stop, choosePort, keptPort, urlOf } as const

const diedError = Effect.fnUntraced(function*(home: PostgresHome) {
  const fs = yield* FileSystem.FileSystem
  const log = yield* fs.readFileString(home.log).pipe(Effect.orElseSucceed(() => ""))
  return new EmbeddedPostgresError({
    reason: "Start",
    message: `The embedded PostgreSQL ended before it took connections. Its log ${home.log} ends: ${lastLines(log, 4)}. ` +
      "Free what it lacks (space, memory, permissions), or set DATABASE_URL."
  })
})
