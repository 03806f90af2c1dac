/** Lengths and ages of the queues, read from the database when somebody looks. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect } from "effect"
import { type OpenCounts, QueueStatsRepo } from "./QueueStatsRepo.ts"

type Figures = Pick<OpenCounts, "queue" | "ready" | "delayed" | "blocked" | "running" | "oldest_due_seconds">

const tell = (open: ReadonlyArray<Figures>) =>
  Effect.andThen(
    Metrics.queueTasks.replace(open.flatMap(({ blocked, delayed, queue, ready, running }) => [
      [{ queue, state: "due" }, ready],
      [{ queue, state: "delayed" }, delayed],
      [{ queue, state: "blocked" }, blocked],
      [{ queue, state: "running" }, running]
    ])),
    Metrics.queueOldestDue.replace(open.map(({ oldest_due_seconds, queue }) => [{ queue }, oldest_due_seconds]))
  )

/** A queue without open tasks is not told; the one that every installation has always is. */
const empty: Figures = { queue: "default", ready: 0, delayed: 0, blocked: 0, running: 0, oldest_due_seconds: 0 }

export const QueueMetrics = metricReader(Effect.map(QueueStatsRepo, ({ openLately }) =>
  tellOrClear(
    openLately,
    (found) => tell(found.some(({ queue }) => queue === empty.queue) ? found : [...found, empty]),
    tell([])
  )))
