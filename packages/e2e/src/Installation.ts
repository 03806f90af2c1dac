/**
 * One installation of EngLog in a temporary folder: an API with its embedded PostgreSQL, and as many workers as a test
 * starts. Everything that runs in it, whoever started it, is gone when its scope ends, and the folder too.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { ProcessTable } from "@englog/api/db/embedded/ProcessTable"
import { Config, Context, Effect, FileSystem, Layer, Option, Ref, Schedule, type Scope } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { ProgramError, type RunningProgram, runProgram } from "./RunningProgram.ts"

export type Env = Readonly<Record<string, string>>

export interface Api extends RunningProgram {
  readonly url: string
  /** `host:port` of its gRPC server. */
  readonly grpc: string
}

export interface Worker extends RunningProgram {
  readonly healthUrl: string
}

export class Installation extends Context.Service<Installation, {
  readonly dataDir: string
  /** Started again it takes the addresses it had before, so that its workers find it. Answers when it is ready. */
  readonly startApi: (env?: Env) => Effect.Effect<Api, ProgramError, Scope.Scope>
  /** Beside the first, on addresses of its own. */
  readonly startAnotherApi: (env?: Env) => Effect.Effect<Api, ProgramError, Scope.Scope>
  /** Answers when tasks can reach it. Its name is its WORKER_ID. */
  readonly startWorker: (name: string, env?: Env) => Effect.Effect<Worker, ProgramError, Scope.Scope>
  /** Without waiting for anything but its /health address. */
  readonly startLonelyWorker: (name: string, env: Env) => Effect.Effect<Worker, ProgramError, Scope.Scope>
  /** Pids of the embedded server and its backends. */
  readonly postgres: Effect.Effect<ReadonlyArray<number>>
  /** To the postmaster alone. SIGINT: it stops at once, in good order. */
  readonly signalPostmaster: (name: NodeJS.Signals) => Effect.Effect<void>
  /** SIGSTOP and SIGCONT to all of them. */
  readonly signalPostgres: (name: NodeJS.Signals) => Effect.Effect<void>
  /** Of the embedded server as its owner sees it, once an API has been started. */
  readonly postgresUrl: Effect.Effect<string>
  /** kill -9 of all of them. */
  readonly killPostgres: Effect.Effect<void>
}>()("@englog/e2e/Installation") {
  /** `env` is given to every process. */
  static readonly layer = (env: Env = {}): Layer.Layer<Installation> =>
    Layer.effect(Installation, make(env)).pipe(Layer.provide([NodeFileSystem.layer, FetchHttpClient.layer]))
}

interface Ports {
  readonly http: string
  readonly grpc: string
}

const make = Effect.fnUntraced(function*(common: Env) {
  const fs = yield* FileSystem.FileSystem
  const http = yield* HttpClient.HttpClient
  const folder = yield* Effect.orDie(fs.makeTempDirectory({ prefix: "englog-e2e-" }))
  // PostgreSQL's user has to pass through it.
  yield* Effect.orDie(fs.chmod(folder, 0o755))
  const dataDir = path.join(folder, "data")
  yield* beginWithMadePostgres(path.join(dataDir, "postgres"))
  const postgres = Effect.provideService(postgresOf(dataDir), FileSystem.FileSystem, fs)
  const signalPostgres = (name: NodeJS.Signals) =>
    Effect.flatMap(postgres, Effect.forEach((pid) => ProcessTable.signal(pid, name), { discard: true }))
  const signalPostmaster = Effect.fnUntraced(function*(name: NodeJS.Signals) {
    const pids = yield* postgres
    const all = yield* ProcessTable.list
    const postmasters = all.filter(({ command, pid }) => pids.includes(pid) && !command.startsWith("postgres: "))
    yield* Effect.forEach(postmasters, ({ pid }) => ProcessTable.signal(pid, name), { discard: true })
  }, Effect.provideService(FileSystem.FileSystem, fs))
  const kept = (name: string) => Effect.orDie(fs.readFileString(path.join(dataDir, "postgres", name)))
  const postgresUrl = Effect.map(Effect.all([kept("port"), kept("password")]), ([port, password]) =>
    `postgres://englog:${password.trim()}@127.0.0.1:${port.trim()}/englog`)
  const killPostgres = postgres.pipe(
    Effect.tap(Effect.forEach((pid) => ProcessTable.signal(pid, "SIGKILL"), { discard: true })),
    Effect.repeat({ until: (left) => left.length === 0, schedule: Schedule.spaced("20 millis") }),
    Effect.asVoid
  )
  yield* Effect.addFinalizer(() =>
    Effect.andThen(killPostgres, Effect.ignore(fs.remove(folder, { recursive: true, force: true }))))
  const ports = yield* Ref.make<Ports>({ http: "0", grpc: "0" })
  const everybody = { LOG_FORMAT: "json", ...common }
  const answers = (url: string) => Effect.provideService(answers200(url), HttpClient.HttpClient, http)

  const startAnotherApi = Effect.fnUntraced(function*(env: Env = {}) {
    const program = yield* runProgram({
      name: "api",
      main: "api",
      env: { ...everybody, DATA_DIR: dataDir, HTTP_PORT: "0", GRPC_PORT: "0", ...env }
    })
    const url = yield* program.said(/HTTP on (http:\/\/[\d.]+:\d+)/)
    const grpc = yield* program.said(/gRPC on ([\d.]+:\d+)/)
    yield* unlessEnded(program, "api", answers(`${url}/ready`))
    return Object.assign(program, { url, grpc })
  })

  const startApi: Installation["Service"]["startApi"] = Effect.fnUntraced(function*(env = {}) {
    const known = yield* Ref.get(ports)
    const api = yield* startAnotherApi({ HTTP_PORT: known.http, GRPC_PORT: known.grpc, ...env })
    yield* Ref.set(ports, { http: api.url.split(":").at(-1) ?? "0", grpc: api.grpc.split(":").at(-1) ?? "0" })
    return api
  })

  const startLonelyWorker: Installation["Service"]["startLonelyWorker"] = Effect.fnUntraced(function*(name, env) {
    const program = yield* runProgram({ name, main: "worker", env: { ...everybody, WORKER_ID: name, LLM_PROVIDER: "builtin", ...env } })
    return Object.assign(program, { healthUrl: yield* program.said(/health at (http:\/\/[\d.]+:\d+\/health)/) })
  })

  const startWorker: Installation["Service"]["startWorker"] = Effect.fnUntraced(function*(name, env = {}) {
    const { grpc } = yield* Ref.get(ports)
    const worker = yield* startLonelyWorker(name, { API_SERVER_GRPC_ADDRESS: `127.0.0.1:${grpc}`, ...env })
    yield* unlessEnded(worker, name, answers(worker.healthUrl))
    return worker
  })

  return Installation.of({ dataDir, startApi, startAnotherApi, startWorker, startLonelyWorker, postgres, signalPostmaster, signalPostgres, postgresUrl, killPostgres })
})

/**
 * E2E_POSTGRES, where it is set: the home of an embedded server that was stopped after it had been migrated (test/support/globalSetup.ts).
 * Its data and its password are copied; name and port are each installation's own.
 */
const beginWithMadePostgres = Effect.fnUntraced(function*(home: string) {
  const fs = yield* FileSystem.FileSystem
  const made = yield* Config.option(Config.String("E2E_POSTGRES"))
  if (Option.isNone(made)) return
  yield* fs.makeDirectory(home, { recursive: true, mode: 0o711 })
  yield* Effect.forEach(["data", "password"], (name) => copyWithOwners(path.join(made.value, name), home), { discard: true })
}, Effect.orDie)

/** The server runs as whom its files belong to. */
const copyWithOwners = (from: string, into: string) =>
  Effect.callback<void>((resume) => {
    execFile("cp", ["-a", from, into], (error) => resume(error === null ? Effect.void : Effect.die(error)))
  })

const answers200 = (url: string) =>
  HttpClient.get(url).pipe(
    Effect.flatMap((response) => response.status === 200 ? Effect.void : Effect.fail("not ready")),
    // Longer than a worker looks for its language model while it is asked.
    Effect.timeout("5 seconds"),
    // Refusals are what is being waited out.
    Effect.retry(Schedule.spaced("20 millis")),
    Effect.ignore
  )

const unlessEnded = (program: RunningProgram, name: string, ready: Effect.Effect<void>) =>
  Effect.raceFirst(
    ready.pipe(Effect.timeoutOrElse({
      duration: "30 seconds",
      orElse: () => new ProgramError({ program: name, problem: "it is not ready after 30 s", output: program.lines.join("\n") })
    })),
    Effect.flatMap(program.exit, (code) =>
      new ProgramError({ program: name, problem: `it ended with ${code}`, output: program.lines.join("\n") }))
  )

/** The server is found by its cluster name, which stands in the command line of all its processes. */
const postgresOf = Effect.fnUntraced(function*(dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const name = (yield* fs.readFileString(path.join(dataDir, "postgres", "name")).pipe(Effect.orElseSucceed(() => ""))).trim()
  if (name === "") return []
  return (yield* ProcessTable.list).filter(({ command }) => command.includes(name)).map(({ pid }) => pid)
})
