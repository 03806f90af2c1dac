/**
 * What a run torments: one PostgreSQL that the run itself owns, two API servers on it, four workers, and a proxy of ours on
 * every way between them. Clients reach the API servers directly.
 */
import { EmbeddedPostgres } from "@englog/api/db/EmbeddedPostgres"
import { LoopbackPort } from "@englog/api/db/embedded/LoopbackPort"
import { runProgram } from "@englog/e2e/RunningProgram"
import * as TcpProxy from "@englog/e2e/TcpProxy"
import { Context, Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import * as ReportEcho from "./ReportEcho.ts"
import * as Slot from "./Slot.ts"

export interface ApiPlace extends Slot.Slot {
  readonly url: string
  readonly database: TcpProxy.TcpProxy
}

export interface WorkerPlace extends Slot.Slot {
  /** One to each API server. */
  readonly links: ReadonlyArray<TcpProxy.TcpProxy>
  readonly clockFile: string
}

export class Cluster extends Context.Service<Cluster, {
  readonly folder: string
  readonly apis: ReadonlyArray<ApiPlace>
  readonly workers: ReadonlyArray<WorkerPlace>
  /** On the last worker's ways. */
  readonly echo: ReportEcho.Switch
  readonly redis: Option.Option<TcpProxy.TcpProxy>
  /** The run's own way to the database, which no fault but the database's own meets. */
  readonly databaseUrl: Redacted.Redacted<string>
  readonly encryptionKeys: Redacted.Redacted<string>
  readonly postgresFolder: string
}>()("@englog/chaos/Cluster") {
  static readonly layer = (options: ClusterOptions) =>
    Layer.effect(Cluster, make(options)).pipe(Layer.provide(EmbeddedPostgres.layer({ dataDir: path.join(options.folder, "data") })))
}

export interface ClusterOptions {
  /** Everything that the run writes. */
  readonly folder: string
  readonly seed: number
  readonly redisUrl: Option.Option<string>
}

export const APIS = 2
export const WORKERS = 4
const CONCURRENT_TASKS = 20

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)

const make = Effect.fnUntraced(function*({ folder, redisUrl, seed }: ClusterOptions) {
  const postgres = yield* EmbeddedPostgres
  const encryptionKeys = Redacted.make(`k1:${randomBytes(32).toString("base64")}`)
  const databasePort = Number(new URL(Redacted.value(postgres.url)).port)
  const redis = yield* Effect.transposeOption(Option.map(redisUrl, (url) => TcpProxy.make(Number(new URL(url).port || 6379))))
  const echo = yield* ReportEcho.makeSwitch(seed)

  const everywhere = {
    LOG_FORMAT: "json",
    JWT_SECRET_KEY: randomBytes(32).toString("hex"),
    ENCRYPTION_KEYS: Redacted.value(encryptionKeys),
    MAX_WORKERS: "50",
    ...Option.match(Option.all([redis, redisUrl]), {
      onNone: () => ({}),
      onSome: ([proxy, url]) => ({ REDIS_URL: throughProxy(url, proxy.port) })
    })
  }

  const ports = yield* Effect.forEach(numbers(APIS), () => Effect.all({ http: quietPort(seed), grpc: quietPort(seed) }))
  const apis = yield* Effect.forEach(ports, Effect.fnUntraced(function*({ grpc, http }, number) {
    const database = yield* TcpProxy.make(databasePort)
    const slot = yield* Slot.make(`api-${number}`, Effect.gen(function*() {
      const program = yield* runProgram({
        name: `api-${number}`,
        main: "api",
        env: {
          ...everywhere,
          DATABASE_URL: throughProxy(Redacted.value(postgres.url), database.port),
          HTTP_PORT: String(http),
          GRPC_PORT: String(grpc)
        }
      })
      yield* program.said(/gRPC on ([\d.]+:\d+)/)
      return program
    }))
    const place: ApiPlace = { ...slot, url: `http://127.0.0.1:${http}`, database }
    return place
  }))

  const workers = yield* Effect.forEach(numbers(WORKERS), Effect.fnUntraced(function*(number) {
    const name = `worker-${number}`
    const links = yield* Effect.forEach(ports, ({ grpc }) => TcpProxy.make(grpc))
    const heard = number === WORKERS - 1 ? yield* Effect.forEach(links, ({ port }) => ReportEcho.serve(echo, port)) : links.map(({ port }) => port)
    const clockFile = path.join(folder, `${name}.clock`)
    const slot = yield* Slot.make(name, Effect.gen(function*() {
      const program = yield* runProgram({
        name,
        main: { file: path.join(import.meta.dirname, "chaosWorker.ts") },
        env: {
          LOG_FORMAT: "json",
          API_SERVER_GRPC_ADDRESS: heard.map((port) => `127.0.0.1:${port}`).join(","),
          WORKER_ID: name,
          WORKER_MAX_CONCURRENT: String(CONCURRENT_TASKS),
          LLM_PROVIDER: "builtin",
          CHAOS_CLOCK: clockFile,
          CHAOS_LOG: handlerLogOf(folder, name)
        }
      })
      yield* program.said(/health at (http:\/\/[\d.]+:\d+\/health)/)
      return program
    }))
    const place: WorkerPlace = { ...slot, links, clockFile }
    return place
  }))

  yield* Effect.addFinalizer(() => keepOutput(folder, [...apis, ...workers]))
  // The first one migrates the database.
  yield* Effect.forEach([...apis, ...workers], (place) => place.start, { discard: true })
  return Cluster.of({ folder, apis, workers, echo, redis, databaseUrl: postgres.url, encryptionKeys, postgresFolder: postgres.folder })
})

/** One file for each worker, to which each of its processes appends. */
export const handlerLogOf = (folder: string, worker: string): string => path.join(folder, `${worker}.jsonl`)

/** Outside the range from which operating systems take ports by themselves: it must still be free after a kill. */
const quietPort = (seed: number): Effect.Effect<number> =>
  Effect.suspend(() => {
    // Two runs beside each other must not take the same.
    const port = 20_000 + (randomBytes(2).readUInt16BE() + seed) % 10_000
    return Effect.flatMap(LoopbackPort.isFree(port), (free) => free ? Effect.succeed(port) : quietPort(seed + 1))
  })

const throughProxy = (url: string, port: number): string => {
  const changed = new URL(url)
  changed.hostname = "127.0.0.1"
  changed.port = String(port)
  return changed.href
}

const keepOutput = Effect.fnUntraced(function*(folder: string, slots: ReadonlyArray<Slot.Slot>) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.forEach(slots, (slot) =>
    Effect.flatMap(slot.lines, (lines) => Effect.ignore(fs.writeFileString(path.join(folder, `${slot.name}.log`), `${lines.join("\n")}\n`))))
})
