/** What an operator sees of a task's change, once it is committed: one line for each task that ended, and the metrics. */
import type { Decision } from "@englog/domain/tasks/TaskState"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect } from "effect"
import type { LockedTask } from "./LeaseRepo.ts"

export const tell = (task: LockedTask, decision: Decision): Effect.Effect<void> => {
  switch (decision._tag) {
    case "Refuse":
    case "Run":
    case "AwaitCancel":
      return Effect.void
    case "Requeue":
      return Effect.andThen(
        Metrics.tasksRequeued.add({ kind: task.kind, cause: decision.cause }),
        annotated(task, `task_${decision.cause}`, Effect.logInfo("task went back to the queue"))
      )
    case "Fail":
      return ended(task, "failed", Effect.annotateLogs(Effect.logWarning("task failed"), { reason: decision.reason }))
    case "End":
      return ended(task, decision.state, Effect.logInfo(`task ${decision.state}`))
  }
}

const ended = (task: LockedTask, outcome: string, log: Effect.Effect<void>) =>
  Metrics.tasksEnded.add({ kind: task.kind, outcome }).pipe(
    Effect.andThen(Metrics.taskDuration.record({ kind: task.kind, outcome }, task.age_seconds)),
    Effect.andThen(annotated(task, `task_${outcome}`, log))
  )

const annotated = (task: LockedTask, operation: string, log: Effect.Effect<void>) =>
  Effect.annotateLogs(log, {
    component: "queue",
    operation,
    task_id: task.task_id,
    task_kind: task.kind,
    user_id: task.user_id,
    attempt: task.attempt,
    worker_id: task.worker_id,
    duration_ms: Math.round(task.age_seconds * 1_000)
  })
