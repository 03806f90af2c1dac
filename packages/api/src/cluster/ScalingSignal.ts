/**
 * How many workers the queues could use. Counting reads all open tasks, so everybody who asks within a second gets one answer:
 * autoscalers, dashboards and people cost one count a second at most.
 */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { QueueDemand, WorkersScaling } from "@englog/rpc/http/WorkersApi"
import { Context, DateTime, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { TaskRepo } from "../queue/TaskRepo.ts"
import { ClusterStatus } from "./ClusterStatus.ts"

/** WORKER_MAX_CONCURRENT of a worker that says nothing else. */
const DEFAULT_SLOTS = 5

export class ScalingSignal extends Context.Service<ScalingSignal, {
  readonly current: Effect.Effect<WorkersScaling, SqlError>
}>()("@englog/api/cluster/ScalingSignal") {
  static readonly layer = Layer.effect(
    ScalingSignal,
    Effect.gen(function*() {
      const tasks = yield* TaskRepo
      const cluster = yield* ClusterStatus

      const read = Effect.gen(function*() {
        const [backlog, health] = yield* Effect.all([tasks.backlog, cluster.capacity])
        const slots = health.workers === 0 ? DEFAULT_SLOTS : Math.max(1, health.slots / health.workers)
        const queues = backlog.map(({ blocked, delayed, due, oldest_due, queue, running }) =>
          new QueueDemand({
            queue,
            depth: due,
            not_ready: delayed + blocked,
            in_flight: running,
            oldest_due_seconds: oldest_due,
            suggested_workers: Math.ceil((due + running) / slots)
          }))
        const wanted = queues.reduce((sum, { depth, in_flight }) => sum + depth + in_flight, 0)
        return new WorkersScaling({ queues, slots_per_worker: slots, suggested_workers: Math.ceil(wanted / slots), timestamp: yield* DateTime.now })
      }).pipe(Effect.withSpan("ScalingSignal.current"))

      // A failure is not kept: whoever asks next asks the database again.
      const [cached, invalidate] = yield* Effect.cachedInvalidateWithTTL(read, "1 second")
      return ScalingSignal.of({ current: Effect.tapError(cached, () => invalidate) })
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
