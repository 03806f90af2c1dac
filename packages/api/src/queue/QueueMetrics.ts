/** Lengths and ages of the queues, read from the database when somebody looks. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect } from "effect"
import { TaskRepo } from "./TaskRepo.ts"

const tell = (backlog: Effect.Success<TaskRepo["Service"]["backlog"]>) =>
  Effect.andThen(
    Metrics.queueTasks.replace(backlog.flatMap(({ blocked, delayed, due, queue, running }) => [
      [{ queue, state: "due" }, due],
      [{ queue, state: "delayed" }, delayed],
      [{ queue, state: "blocked" }, blocked],
      [{ queue, state: "running" }, running]
    ])),
    Metrics.queueOldestDue.replace(backlog.map(({ oldest_due, queue }) => [{ queue }, oldest_due]))
  )

/** A queue without open tasks is not told; the one that every installation has always is. */
const empty = { queue: "default", due: 0, delayed: 0, blocked: 0, running: 0, oldest_due: 0 }

export const QueueMetrics = metricReader(Effect.map(TaskRepo, ({ backlog }) =>
  tellOrClear(
    backlog,
    (found) => tell(found.some(({ queue }) => queue === empty.queue) ? found : [...found, empty]),
    tell([])
  )))
