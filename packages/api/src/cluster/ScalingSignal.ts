/** How many workers the queues could use. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { QueueDemand, WorkersScaling } from "@englog/rpc/http/WorkersApi"
import { Context, DateTime, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { QueueStatsRepo } from "../queue/QueueStatsRepo.ts"
import { ClusterStatus } from "./ClusterStatus.ts"

/** WORKER_MAX_CONCURRENT of a worker that says nothing else. */
const DEFAULT_SLOTS = 5

export class ScalingSignal extends Context.Service<ScalingSignal, {
  readonly current: Effect.Effect<WorkersScaling, SqlError>
}>()("@englog/api/cluster/ScalingSignal") {
  static readonly layer = Layer.effect(
    ScalingSignal,
    Effect.gen(function*() {
      const figures = yield* QueueStatsRepo
      const cluster = yield* ClusterStatus

      const current = Effect.gen(function*() {
        const [open, health] = yield* Effect.all([figures.openLately, cluster.capacity])
        const slots = health.workers === 0 ? DEFAULT_SLOTS : Math.max(1, health.slots / health.workers)
        const queues = open.map(({ blocked, delayed, oldest_due_seconds, queue, ready, running }) =>
          new QueueDemand({
            queue,
            depth: ready,
            not_ready: delayed + blocked,
            in_flight: running,
            oldest_due_seconds,
            suggested_workers: Math.ceil((ready + running) / slots)
          }))
        const wanted = queues.reduce((sum, { depth, in_flight }) => sum + depth + in_flight, 0)
        return new WorkersScaling({ queues, slots_per_worker: slots, suggested_workers: Math.ceil(wanted / slots), timestamp: yield* DateTime.now })
      }).pipe(Effect.withSpan("ScalingSignal.current"))

      return ScalingSignal.of({ current })
    })
  )
}

/** A queue without open tasks is not told; the one that every installation has always is. */
export const ScalingMetrics = metricReader(Effect.map(ScalingSignal, ({ current }) =>
  tellOrClear(
    current,
    ({ queues }) => Metrics.workersSuggested.replace([
      ...(queues.some(({ queue }) => queue === "default") ? [] : [[{ queue: "default" }, 0] as const]),
      ...queues.map(({ queue, suggested_workers }) => [{ queue }, suggested_workers] as const)
    ]),
    Metrics.workersSuggested.replace([])
  )))
