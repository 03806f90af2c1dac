/** Ours: an API server process and a worker process that know each other over gRPC alone; submitters in it, or outside over RPC. */
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { BenchPostgres } from "../BenchPostgres.ts"
import { startProcess } from "../Processes.ts"
import type { Metric, System } from "../System.ts"

export interface EngLogParts {
  readonly name: string
  readonly slots: "freed" | "held"
  /** `rpc`: submitted by a client of its own. `history`: on a database that is full already. */
  readonly variant: "in-process" | "rpc" | "history"
  readonly metrics: ReadonlyArray<Metric>
  readonly workerEnv?: Readonly<Record<string, string>>
  readonly historyRows?: number
}

/** What an operator would raise, too: limits against abuse are not what is measured. */
const LIMITS = {
  MAX_WORKERS: "100",
  MAX_QUEUED_PER_QUEUE: "0",
  MAX_QUEUED_PER_ORGANIZATION: "0",
  RATE_LIMIT_USER: "off",
  RATE_LIMIT_ADDRESS: "off",
  RATE_LIMIT_AUTH: "off",
  RATE_LIMIT_STARTS: "off"
}
const QUIET = { LOG_LEVEL: "warn", LOG_FORMAT: "json" }

export const engLogSystem = ({ historyRows, variant, workerEnv, ...system }: EngLogParts): System => ({
  ...system,
  kind: "ours",
  start: Effect.gen(function*() {
    const url = yield* BenchPostgres.use((postgres) => postgres.database(system.name))
    const common = { system: system.name, url, variant }
    const api = yield* startProcess({
      ...common,
      engine: "englog-api",
      role: "submitter",
      env: {
        ...QUIET,
        ...LIMITS,
        DATABASE_URL: url,
        HTTP_PORT: "0",
        GRPC_PORT: "0",
        JWT_SECRET_KEY: randomBytes(32).toString("base64"),
        ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
        ...(historyRows === undefined ? {} : { BENCH_HISTORY_ROWS: String(historyRows) })
      }
    })
    const { grpc, http } = yield* api.ask("address", {})
    const anotherWorker = startProcess({
      ...common,
      engine: "englog-worker",
      role: "worker",
      env: { ...QUIET, API_SERVER_GRPC_ADDRESS: grpc, LLM_PROVIDER: "builtin", ...workerEnv }
    })
    const worker = yield* anotherWorker
    // A kind of a worker's own is known from its first registration on.
    yield* api.ask("preload", { count: 1, ms: 0 })
    yield* worker.ask("work", { concurrency: 1 })
    yield* worker.ask("started", { count: 1 })
    yield* worker.ask("rest", {})
    const submitter = variant === "rpc"
      ? yield* startProcess({ ...common, engine: "englog-rpc", role: "submitter", env: { ENGLOG_URL: http } })
      : api
    return { submitter, worker, processes: [...new Set([api, worker, submitter])], anotherWorker }
  })
})
