/**
 * The cluster as an operator sees it, from what all replicas have written.
 */
import { WorkersHealth, WorkerView } from "@englog/rpc/http/WorkersApi"
import { Context, DateTime, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { QueueStatsRepo } from "../queue/QueueStatsRepo.ts"
import { WorkerSessionRepo, type WorkerSessionRow } from "./WorkerSessionRepo.ts"

export class ClusterStatus extends Context.Service<ClusterStatus, {
  readonly workers: Effect.Effect<ReadonlyArray<WorkerView>, SqlError>
  /** Of the workers that are healthy. */
  readonly capacity: Effect.Effect<{ readonly workers: number; readonly slots: number }, SqlError>
  readonly health: Effect.Effect<WorkersHealth, SqlError>
}>()("@englog/api/cluster/ClusterStatus") {
  static readonly layer = Layer.effect(
    ClusterStatus,
    Effect.gen(function*() {
      const sessions = yield* WorkerSessionRepo
      const figures = yield* QueueStatsRepo

      const workers = sessions.live.pipe(Effect.map((rows) => rows.map(toView)), Effect.withSpan("ClusterStatus.workers"))

      const health = Effect.gen(function*() {
        const rows = yield* workers
        const open = yield* figures.openLately
        const queued = sum(open, ({ blocked, delayed, ready }) => ready + delayed + blocked)
        const running = sum(open, (queue) => queue.running)
        const healthy = rows.filter(isHealthy)
        const waitsForNobody = queued > 0 && running === 0
        return new WorkersHealth({
          status: healthy.length === 0 ? "unhealthy" : healthy.length < rows.length || waitsForNobody ? "degraded" : "healthy",
          total_workers: rows.length,
          healthy_workers: healthy.length,
          capacity: sum(healthy, (row) => row.max_concurrent_tasks),
          active_tasks: running,
          queued_tasks: queued,
          timestamp: yield* DateTime.now
        })
      }).pipe(Effect.withSpan("ClusterStatus.health"))

      const capacity = Effect.map(workers, (rows) => {
        const healthy = rows.filter(isHealthy)
        return { workers: healthy.length, slots: sum(healthy, (row) => row.max_concurrent_tasks) }
      })

      return ClusterStatus.of({ workers, capacity, health })
    })
  )
}

const sum = <A>(of: ReadonlyArray<A>, number: (one: A) => number): number => of.reduce((total, one) => total + number(one), 0)

const isHealthy = ({ status }: WorkerView): boolean => status === "idle" || status === "busy"

const toView = (row: WorkerSessionRow): WorkerView =>
  new WorkerView({
    worker_id: row.worker_id,
    worker_name: row.worker_name,
    version: row.version,
    status: statusOf(row),
    paused: row.paused,
    kinds: row.kinds,
    queues: row.queues,
    max_concurrent_tasks: row.max_concurrent_tasks,
    protocol: row.protocol,
    active_tasks: row.stats?.active_tasks ?? 0,
    completed_tasks: row.stats?.completed_tasks ?? 0,
    failed_tasks: row.stats?.failed_tasks ?? 0,
    cpu_usage: row.stats?.cpu_usage ?? 0,
    memory_usage: row.stats?.memory_usage ?? 0,
    registered_at: row.registered_at,
    last_heartbeat_at: row.last_heartbeat_at
  })

/** What keeps it from working most. */
const statusOf = ({ lease_valid, paused, replica_id, status }: WorkerSessionRow): WorkerView["status"] => {
  if (replica_id === null) return "disconnected"
  if (!lease_valid) return "unhealthy"
  return paused && (status === "idle" || status === "busy") ? "paused" : status
}
