/** The workers of the cluster by status, read from the database when somebody looks. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import type { WorkerView } from "@englog/rpc/http/WorkersApi"
import { Effect } from "effect"
import { ClusterStatus } from "./ClusterStatus.ts"

const statuses = ["idle", "busy", "draining", "unhealthy", "disconnected"] as const

const tell = (workers: ReadonlyArray<WorkerView>) => {
  const healthy = workers.filter(({ status }) => status === "idle" || status === "busy")
  return Effect.andThen(
    Metrics.workerSessions.replace(statuses.map((status) => [{ status }, workers.filter((worker) => worker.status === status).length])),
    Metrics.workerCapacity.replace([[{}, healthy.reduce((sum, worker) => sum + worker.max_concurrent_tasks, 0)]])
  )
}

const clear = Effect.andThen(Metrics.workerSessions.replace([]), Metrics.workerCapacity.replace([]))

export const SessionMetrics = metricReader(Effect.map(ClusterStatus, ({ workers }) => tellOrClear(workers, tell, clear)))
