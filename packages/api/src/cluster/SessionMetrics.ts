/** The workers of the cluster by status, read from the database when somebody looks; those whose streams end here, from memory. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import type { WorkerView } from "@englog/rpc/http/WorkersApi"
import { Effect, Layer } from "effect"
import { ClusterStatus } from "./ClusterStatus.ts"
import { WorkerSessions } from "./WorkerSessions.ts"

const statuses = ["idle", "busy", "paused", "draining", "unhealthy", "disconnected"] as const

const tell = (workers: ReadonlyArray<WorkerView>) => {
  const healthy = workers.filter(({ status }) => status === "idle" || status === "busy")
  return Effect.andThen(
    Metrics.workerSessions.replace(statuses.map((status) => [{ status }, workers.filter((worker) => worker.status === status).length])),
    Metrics.workerCapacity.replace([[{}, healthy.reduce((sum, worker) => sum + worker.max_concurrent_tasks, 0)]])
  )
}

const clear = Effect.andThen(Metrics.workerSessions.replace([]), Metrics.workerCapacity.replace([]))

const statusReader = metricReader(Effect.map(ClusterStatus, ({ workers }) => tellOrClear(workers, tell, clear)))

/** Told by the process that notices: the database learns of it only when the lease has lapsed. */
const deafReader = metricReader(Effect.map(WorkerSessions, ({ all, isDeaf }) =>
  Effect.flatMap(all, Effect.filter(isDeaf)).pipe(Effect.flatMap((deaf) => Metrics.streamsDeaf.set({}, deaf.length)))))

export const SessionMetrics = Layer.mergeAll(statusReader, deafReader)
