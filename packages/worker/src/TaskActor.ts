/**
 * One attempt of one task, as a pipeline: find the handler, run it in a free slot within the deadline, and hand in how it
 * ended. The trace of the request that caused the task continues through it.
 */
import type { WorkerId } from "@englog/domain/Ids"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import type { AttemptOutcome, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { DateTime, Deferred, Duration, Effect, Option, Ref, type Semaphore, type Tracer } from "effect"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as AttemptContext from "./AttemptContext.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import type { TaskFailure } from "./handlers/TaskHandler.ts"
import { TaskHandlers } from "./handlers/TaskHandlers.ts"
import { deliver } from "./OutcomeDelivery.ts"

export interface Attempt {
  readonly task: WorkerTask
  readonly workerId: WorkerId
  /** Completed with the reason when the task's owner cancels it. */
  readonly cancelled: Deferred.Deferred<string>
  /** One permit per task that may run at once. */
  readonly slots: Semaphore.Semaphore
}

/** Ends when the outcome is handed in. Interrupted, it hands in nothing: then the attempt is no longer ours, or given back. */
export const run = Effect.fnUntraced(function*(attempt: Attempt) {
  const { task } = attempt
  yield* execute(attempt).pipe(
    Effect.withSpan(`task ${task.kind}`, traced(attempt), { captureStackTrace: false }),
    Effect.annotateLogs({
      component: "worker_service",
      worker_id: attempt.workerId,
      task_id: task.task_id,
      task_kind: task.kind,
      attempt: task.attempt
    })
  )
})

const execute = Effect.fnUntraced(function*({ task, cancelled, slots }: Attempt) {
  const ledger = yield* AttemptLedger
  const startedAt = yield* DateTime.now
  const notes = yield* Ref.make<Readonly<Record<string, string | number>>>({})
  const outcome = yield* Effect.raceFirst(
    slots.withPermits(1)(handle(task, notes)),
    Effect.map(Deferred.await(cancelled), (reason): AttemptOutcome => ({ _tag: "Cancelled", error: reason }))
  )
  const completedAt = yield* DateTime.now
  yield* Effect.annotateCurrentSpan(Attribute.taskOutcome, outcome._tag === "Cancelled" ? "Stopped" : outcome._tag)
  yield* tell(task, outcome, DateTime.distance(startedAt, completedAt), yield* Ref.get(notes))
  yield* deliver({
    task_id: task.task_id,
    attempt: task.attempt,
    outcome,
    started_at: Option.some(startedAt),
    completed_at: Option.some(completedAt)
  })
  if (outcome._tag === "Completed") yield* ledger.count("completed")
  if (outcome._tag === "Failed") yield* ledger.count("failed")
})

/** Never fails: whatever happens to the handler is an outcome. */
const handle = Effect.fnUntraced(function*(task: WorkerTask, notes: Ref.Ref<Readonly<Record<string, string | number>>>) {
  const handler = (yield* TaskHandlers).get(task.kind)
  const context = yield* AttemptContext.make(task, notes)
  yield* Effect.logDebug("task started").pipe(Effect.annotateLogs({ operation: "task_started" }))
  if (handler === undefined) return failed(`this worker has no handler for ${task.kind}`)
  const left = yield* context.timeLeft
  return yield* Effect.suspend(() => handler.run(task, context)).pipe(
    Effect.map((result): AttemptOutcome => ({ _tag: "Completed", result })),
    Effect.timeoutOrElse({ duration: left, orElse: () => Effect.succeed(failed("the task's deadline passed before it was done")) }),
    Effect.catchTag("TaskFailure", (failure) => Effect.as(logFailure(failure), failed(failure.message, failure.retryable))),
    // What a bug says may hold anything, so it goes to the log only.
    Effect.catchCause((cause) =>
      Effect.as(
        Effect.logError("the handler failed unexpectedly", cause),
        failed(`the handler of ${task.kind} failed unexpectedly; the worker's log has the details`)
      )
    )
  )
})

const failed = (error: string, retryable = true): AttemptOutcome => ({ _tag: "Failed", error, retryable })

const logFailure = (failure: TaskFailure) =>
  failure.cause === undefined ? Effect.void : Effect.logDebug("cause of the failure", failure.cause)

/** The one line about an attempt, and its metrics. */
const tell = (task: WorkerTask, outcome: AttemptOutcome, duration: Duration.Duration, notes: Readonly<Record<string, string | number>>) => {
  const labels = { kind: task.kind, outcome: outcome._tag.toLowerCase() }
  const log = outcome._tag === "Failed" ? Effect.logWarning(`task failed: ${outcome.error}`) : Effect.logInfo(`task ${labels.outcome}`)
  return Metrics.workerTasks.add(labels).pipe(
    Effect.andThen(Metrics.workerTaskDuration.record(labels, Duration.toSeconds(duration))),
    Effect.andThen(log),
    Effect.annotateLogs({ operation: `task_${labels.outcome}`, duration_ms: Duration.toMillis(duration), ...notes })
  )
}

const parentOf = (task: WorkerTask): Option.Option<Tracer.ExternalSpan> =>
  Option.flatMap(task.traceparent, (traceparent) => HttpTraceContext.w3c(Headers.fromInput({ traceparent })))

const traced = ({ task, workerId }: Attempt): Tracer.SpanOptionsNoTrace => ({
  kind: "consumer",
  attributes: {
    [Attribute.taskId]: task.task_id,
    [Attribute.taskKind]: task.kind,
    [Attribute.taskAttempt]: task.attempt,
    [Attribute.workerId]: workerId,
    [Attribute.messagingSystem]: "englog",
    [Attribute.messagingOperation]: "process",
    [Attribute.messagingOperationType]: "process",
    [Attribute.messagingMessageId]: task.task_id
  },
  ...Option.match(parentOf(task), { onNone: () => ({ root: true }), onSome: (parent) => ({ parent }) })
})
