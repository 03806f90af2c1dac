/**
 * EngLog as `npm start` runs it, on free ports and in a temporary folder of its own, for as long as its scope.
 *
 * The folder goes with the scope, except for the log where the scope ended in a failure. What the environment says about
 * language models and telemetry holds here too; what it says about a database, secrets and the network does not.
 */
import { Effect, Exit, FileSystem, Schedule } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as net from "node:net"
import * as path from "node:path"
import { DemoError } from "./DemoError.ts"

export interface TemporaryEngLog {
  /** Origin of the HTTP API. */
  readonly url: string
  readonly workerHealthUrl: string
  /** Of the process that started the API and the worker. */
  readonly pid: number
  readonly log: string
  /** Completes, by failing, when EngLog ends on its own. */
  readonly end: Effect.Effect<never, DemoError>
}

export type Environment = Readonly<Record<string, string | undefined>>

const root = path.resolve(import.meta.dirname, "../..")

export const temporaryEngLog = Effect.fn("TemporaryEngLog.start")(function*(environment: Environment) {
  const folder = yield* temporaryFolder
  const log = path.join(folder, "englog.log")
  return yield* start(folder, log, environment).pipe(
    Effect.mapError(({ message }) => new DemoError({ message: `${message} (log: ${log})` })),
    // Somebody may take a port between its choice and its use.
    Effect.retry({ times: 4, while: ({ message }) => /already in use|is taken by another process/.test(message) })
  )
})

const start = Effect.fnUntraced(function*(folder: string, log: string, environment: Environment) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const [http, grpc, health] = yield* freePorts
  yield* fs.writeFileString(log, "")
  const program = [process.execPath, "--import", path.join(root, "scripts/launcher/EndWithParent.js"), path.join(root, "scripts/start.ts")]
  const launcher = yield* spawner.spawn(ChildProcess.make("sh", ["-c", `exec "$@" >>"$0" 2>&1`, log, ...program], {
    cwd: root,
    stdin: { stream: "pipe", endOnDone: false },
    stdout: "ignore",
    stderr: "ignore",
    forceKillAfter: "30 seconds",
    env: {
      ...environment,
      ...notForHere,
      DATA_DIR: path.join(folder, "data"),
      HTTP_PORT: String(http),
      GRPC_PORT: String(grpc),
      API_SERVER_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
      WORKER_HEALTH_PORT: String(health)
    }
  })).pipe(Effect.mapError((error) => new DemoError({ message: `EngLog cannot be started: ${error.message}` })))
  const logged = fs.readFileString(log).pipe(Effect.orElseSucceed(() => ""))
  const end = launcher.exitCode.pipe(
    Effect.orElseSucceed(() => 1),
    Effect.flatMap((code) => Effect.flatMap(logged, (text) => new DemoError({ message: `EngLog ended with ${code}: ${lastLine(text)}` })))
  )
  const ready = logged.pipe(Effect.repeat({ until: (text) => text.includes("EngLog is ready"), schedule: Schedule.spaced("50 millis") }))
  yield* Effect.raceFirst(ready, end).pipe(Effect.timeoutOrElse({
    duration: START_LIMIT,
    orElse: () => Effect.fail(new DemoError({ message: "EngLog was not ready within a minute" }))
  }))
  return {
    url: `http://127.0.0.1:${http}`,
    workerHealthUrl: `http://127.0.0.1:${health}/health`,
    pid: launcher.pid,
    log,
    end
  } satisfies TemporaryEngLog
})

const START_LIMIT = "60 seconds"

/** Empty counts as unset, also for a `.env` file. */
const notForHere = Object.fromEntries([
  "DATABASE_URL", "REDIS_URL", "JWT_SECRET_KEY", "ENCRYPTION_KEYS",
  "HTTP_HOST", "GRPC_HOST", "TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CA_FILE", "TLS_SERVER_NAME",
  "WORKER_ENROLLMENT_TOKEN", "MAX_WORKERS", "HEARTBEAT_INTERVAL", "WORKER_TIMEOUT",
  "WORKER_ID", "WORKER_NAME", "WORKER_MAX_CONCURRENT", "WORKER_QUEUES", "WORKER_HEALTH_HOST"
].map((name) => [name, ""]))

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim().replace(/\.$/, "") || "it said nothing"

const temporaryFolder = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* Effect.acquireRelease(
    fs.makeTempDirectory({ prefix: "englog-" }),
    (made, exit) =>
      Effect.gen(function*() {
        yield* removeData(path.join(made, "data"))
        if (Exit.isSuccess(exit) || Exit.hasInterrupts(exit)) yield* fs.remove(made, { recursive: true, force: true })
      }).pipe(Effect.ignore({ log: "Warn", message: `The temporary folder ${made} was not removed` }))
  )
  // As root, PostgreSQL runs as another user, who has to pass through.
  if (process.getuid?.() === 0) yield* fs.chmod(folder, 0o711)
  return yield* fs.realPath(folder)
}).pipe(Effect.mapError((error) => new DemoError({ message: `no temporary folder can be made: ${error.message}` })))

/** The database lies elsewhere where PostgreSQL's user cannot reach the folder for temporary files. */
const removeData = Effect.fnUntraced(function*(data: string) {
  const fs = yield* FileSystem.FileSystem
  const elsewhere = yield* fs.readFileString(path.join(data, "postgres.location")).pipe(Effect.orElseSucceed(() => ""))
  if (/\/englog\/data\/[0-9a-f-]+$/.test(elsewhere.trim())) yield* fs.remove(elsewhere.trim(), { recursive: true, force: true })
  yield* fs.remove(data, { recursive: true, force: true })
})

/** Three different ones: all are open before the first is closed. */
const freePorts = Effect.scoped(Effect.forEach([0, 1, 2], () => openPort)).pipe(
  Effect.map((ports) => [ports[0] ?? 0, ports[1] ?? 0, ports[2] ?? 0] as const)
)

const openPort = Effect.map(
  Effect.acquireRelease(
    Effect.callback<net.Server, DemoError>((resume) => {
      const server = net.createServer()
      server.once("error", (error) => resume(Effect.fail(new DemoError({ message: `no free port: ${error.message}` }))))
      server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  ),
  (server) => {
    const address = server.address()
    return address !== null && typeof address !== "string" ? address.port : 0
  }
)
