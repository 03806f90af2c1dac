/** What an operator sees of a task's change, once it is committed: one line for each task that ended, and the metrics. */
import type { Decision } from "@englog/domain/tasks/TaskState"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { parentOf } from "@englog/platform/telemetry/TraceContext"
import { Effect, LogLevel, Option, References, Tracer } from "effect"
import type { LockedTask } from "./LeaseRepo.ts"
import type { PlainlyCompleted } from "./OutcomeRepo.ts"

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

/** The same for many completions at once: metrics by kind, and lines only where somebody reads them. */
export const tellCompleted = Effect.fnUntraced(function*(tasks: ReadonlyArray<PlainlyCompleted>) {
  const ages = new Map<string, Array<number>>()
  for (const { age_seconds, kind } of tasks) {
    const ofKind = ages.get(kind)
    if (ofKind === undefined) ages.set(kind, [age_seconds])
    else ofKind.push(age_seconds)
  }
  for (const [kind, seconds] of ages) {
    yield* Metrics.taskDuration.record({ kind, outcome: "completed" }, ...seconds)
    yield* Metrics.tasksEnded.add({ kind, outcome: "completed" }, seconds.length)
  }
  if (LogLevel.isGreaterThan(yield* References.MinimumLogLevel, "Info")) return
  for (const task of tasks) {
    yield* Effect.annotateLogs(inTraceOf(task.traceparent, Effect.logInfo("task completed")), {
      component: "queue",
      operation: "task_completed",
      task_id: task.task_id,
      task_kind: task.kind,
      user_id: task.user_id,
      attempt: task.attempt,
      worker_id: task.worker_id,
      duration_ms: Math.round(task.age_seconds * 1_000)
    })
  }
})

const ended = (task: LockedTask, outcome: string, log: Effect.Effect<void>) =>
  Metrics.tasksEnded.add({ kind: task.kind, outcome }).pipe(
    Effect.andThen(Metrics.taskDuration.record({ kind: task.kind, outcome }, task.age_seconds)),
    Effect.andThen(annotated(task, `task_${outcome}`, log))
  )

/** Whoever reports, the line belongs to the trace of the request that caused the task. */
const inTraceOf = (traceparent: string, log: Effect.Effect<void>): Effect.Effect<void> =>
  Option.match(parentOf(traceparent), {
    onNone: () => log,
    onSome: (parent) => Effect.provideService(log, Tracer.ParentSpan, parent)
  })

const annotated = (task: LockedTask, operation: string, log: Effect.Effect<void>) =>
  Effect.annotateLogs(inTraceOf(task.traceparent, log), {
    component: "queue",
    operation,
    task_id: task.task_id,
    task_kind: task.kind,
    user_id: task.user_id,
    attempt: task.attempt,
    worker_id: task.worker_id,
    duration_ms: Math.round(task.age_seconds * 1_000)
  })
