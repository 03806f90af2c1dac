/** Carries out the schedule: each fault at its time, and its end. Counts what took place. */
import { ProcessTable } from "@englog/api/db/embedded/ProcessTable"
import { Database } from "@englog/api/db/Database"
import type { Side } from "@englog/e2e/TcpProxy"
import { Clock, Effect, FileSystem, Option, Ref } from "effect"
import { SqlClient } from "effect/sql"
import * as fs from "node:fs"
import * as path from "node:path"
import { type ApiPlace, Cluster, type WorkerPlace } from "./Cluster.ts"
import type { Fault, FaultKind } from "./Fault.ts"

export type FaultCounts = Partial<Readonly<Record<FaultKind, number>>>

/** Runs until the last fault is over. */
export const carryOut = Effect.fn("FaultInjector.carryOut")(function*(
  faults: ReadonlyArray<Fault>,
  tell: (line: string) => Effect.Effect<void>
) {
  const started = yield* Clock.currentTimeMillis
  const counts = yield* Ref.make<FaultCounts>({})
  yield* Effect.forEach(faults, (fault) =>
    Effect.gen(function*() {
      yield* Effect.sleep(Math.max(0, started + fault.at - (yield* Clock.currentTimeMillis)))
      yield* tell(`${(fault.at / 1_000).toFixed(1)} s: ${fault.kind} ${fault.target} for ${fault.lasts} ms`)
      const took = yield* strike(fault).pipe(
        // A process that did not come up is seen as what it is by the checker, when it does not come up at all.
        Effect.catchTag("ProgramError", (error) => Effect.as(tell(error.message), true))
      )
      if (took) yield* Ref.update(counts, (before) => ({ ...before, [fault.kind]: (before[fault.kind] ?? 0) + 1 }))
    }), { concurrency: "unbounded", discard: true })
  return yield* Ref.get(counts)
})

/** False where it cannot be done here. */
const strike = Effect.fnUntraced(function*(fault: Fault) {
  const cluster = yield* Cluster
  const worker = cluster.workers[fault.target]
  const api = cluster.apis[fault.target]
  if (fault.kind === "redis_loss") return yield* loseRedis(fault)
  if (fault.kind === "duplicate_reports") yield* repeatReports(fault)
  else if (fault.kind === "restart_postgres") yield* restartPostgres
  else if (fault.kind === "terminate_connections") yield* terminateConnections(fault)
  else if (fault.kind.includes("worker")) {
    if (worker === undefined) return false
    yield* strikeWorker(fault, worker)
  } else {
    if (api === undefined) return false
    yield* strikeApi(fault, api)
  }
  return true
})

const strikeWorker = Effect.fnUntraced(function*(fault: Fault, worker: WorkerPlace) {
  const pause = Effect.sleep(fault.lasts)
  const links = <E>(change: (link: WorkerPlace["links"][number]) => Effect.Effect<void, E>) => Effect.forEach(worker.links, change, { discard: true })
  const heal = links((link) => link.speak)
  switch (fault.kind) {
    case "kill_worker":
      return yield* worker.restart("SIGKILL", pause)
    case "kill_worker_before_reply":
      return yield* worker.restart("SIGKILL", heal, Effect.andThen(links((link) => link.silenceTowards("client")), pause))
    case "stop_worker":
      return yield* worker.restart("SIGTERM", pause)
    case "freeze_worker":
      yield* worker.signal("SIGSTOP")
      yield* pause
      return yield* worker.signal("SIGCONT")
    case "partition_worker":
      yield* links((link) => link.silence)
      yield* pause
      return yield* heal
    case "partition_worker_one_way":
      yield* links((link) => link.silenceTowards(sideOf(fault)))
      yield* pause
      return yield* heal
    case "half_open_worker":
      return yield* links((link) => link.forsake(sideOf(fault)))
    case "worker_clock":
      return yield* setClock(worker, Math.round((fault.twist * 2 - 1) * FIVE_MINUTES))
    default:
      return
  }
})

const strikeApi = Effect.fnUntraced(function*(fault: Fault, api: ApiPlace) {
  const pause = Effect.sleep(fault.lasts)
  switch (fault.kind) {
    case "kill_api":
      return yield* api.restart("SIGKILL", pause)
    case "kill_api_after_commit":
      return yield* api.restart("SIGKILL", api.database.speak, Effect.andThen(api.database.silenceTowards("client"), pause))
    case "stop_api":
      return yield* api.restart("SIGTERM", pause)
    case "freeze_api":
      yield* api.signal("SIGSTOP")
      yield* pause
      return yield* api.signal("SIGCONT")
    case "partition_database":
      yield* api.database.silence
      yield* pause
      return yield* api.database.speak
    case "partition_database_one_way":
      yield* api.database.silenceTowards(sideOf(fault))
      yield* pause
      return yield* api.database.speak
    case "half_open_database":
      return yield* api.database.forsake(sideOf(fault))
    default:
      return
  }
})

const FIVE_MINUTES = 300_000

const sideOf = (fault: Fault): Side => fault.twist < 0.5 ? "client" : "target"

const setClock = Effect.fnUntraced(function*(worker: WorkerPlace, shift: number) {
  yield* Effect.sync(() => fs.writeFileSync(worker.clockFile, String(shift)))
  yield* worker.signal("SIGUSR2")
})

const repeatReports = Effect.fnUntraced(function*(fault: Fault) {
  const { echo } = yield* Cluster
  echo.on = true
  yield* Effect.sleep(fault.lasts)
  echo.on = false
})

const loseRedis = Effect.fnUntraced(function*(fault: Fault) {
  const { redis } = yield* Cluster
  if (Option.isNone(redis)) return false
  yield* redis.value.silence
  yield* redis.value.cut
  yield* Effect.sleep(fault.lasts)
  yield* redis.value.speak
  return true
})

/** As `pg_ctl stop -m immediate`: no shutdown checkpoint, recovery at the start, which follows at once. */
const restartPostgres = Effect.gen(function*() {
  const { postgresFolder } = yield* Cluster
  const files = yield* FileSystem.FileSystem
  const pid = Number((yield* files.readFileString(path.join(postgresFolder, "data", "postmaster.pid"))).split("\n")[0])
  if (pid > 0) yield* ProcessTable.signal(pid, "SIGQUIT")
}).pipe(Effect.ignore)

const terminateConnections = Effect.fnUntraced(function*(fault: Fault) {
  const { databaseUrl } = yield* Cluster
  const once = Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'englog-%'`
  }).pipe(Effect.provide(Database.layer({ url: databaseUrl, applicationName: "chaos" }), { local: true }), Effect.ignore)
  yield* once
  yield* Effect.sleep(fault.lasts)
  yield* once
})
