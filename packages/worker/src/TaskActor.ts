/**
 * One attempt of one task, as a pipeline: find the handler, run it, and hand in how it ended. The trace of the request that
 * caused the task continues through it; where that is not sampled, no span is made.
 */
import type { WorkerId } from "@englog/domain/Ids"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { currentTraceparent, parentOf } from "@englog/platform/telemetry/TraceContext"
import type { AttemptOutcome, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { Cause, Clock, Effect, Exit, Option, Tracer } from "effect"
import type { AttemptLedger } from "./AttemptLedger.ts"
import * as AttemptContext from "./AttemptContext.ts"
import type { TaskFailure, TaskHandler } from "./handlers/TaskHandler.ts"

/** Why a running attempt is interrupted with something to say. */
export type Stop = { readonly _tag: "Cancelled"; readonly reason: string } | { readonly _tag: "Deadline" }

/** What all attempts of this worker share. */
export interface Host extends AttemptContext.Reach {
  readonly workerId: WorkerId
  readonly handlers: ReadonlyMap<string, TaskHandler>
  readonly ledger: AttemptLedger["Service"]
  /** Whether anybody would read the lines about an attempt's start and its good end. */
  readonly logs: { readonly debug: boolean; readonly info: boolean }
}

export interface Attempt {
  readonly task: WorkerTask
  /** Asked when the attempt was interrupted: undefined where it is no longer ours, or given back. */
  readonly stop: () => Stop | undefined
  /** The handler has returned, or was interrupted: after so many milliseconds. */
  readonly returned: (milliseconds: number) => void
  /** Nobody will hear of the attempt again. */
  readonly settled: () => void
}

export const run = (host: Host, attempt: Attempt): Effect.Effect<void> => {
  const { task } = attempt
  const notes: Record<string, string | number> = {}
  const parent = Option.flatMap(task.traceparent, parentOf)
  const context = AttemptContext.make(host, task, (fields) => void Object.assign(notes, fields))
  return Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    Effect.onExit(handle(host, task, context), (exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (endedAt) => conclude(host, attempt, exit, endedAt - startedAt, notes, parent)))).pipe(
        Effect.asVoid,
        inTrace(host, task, parent),
        Effect.annotateLogs({
          component: "worker_service",
          worker_id: host.workerId,
          task_id: task.task_id,
          task_kind: task.kind,
          attempt: task.attempt
        })
      )
}

/** Never fails: whatever happens to the handler is an outcome. */
const handle = (host: Host, task: WorkerTask, context: Parameters<TaskHandler["run"]>[1]): Effect.Effect<AttemptOutcome> => {
  const handler = host.handlers.get(task.kind)
  if (handler === undefined) return Effect.succeed(failed(`this worker has no handler for ${task.kind}`))
  const run = Effect.matchCauseEffect(Effect.suspend(() => handler.run(task, context)), {
    onSuccess: (result) => Effect.succeed<AttemptOutcome>({ _tag: "Completed", result }),
    onFailure: (cause) =>
      Option.match(Cause.findErrorOption(cause), {
        onSome: (failure) => Effect.as(logFailure(failure), failed(failure.message, failure)),
        // What a bug says may hold anything, so it goes to the log only.
        onNone: () =>
          Effect.as(
            Effect.logError("the handler failed unexpectedly", cause),
            failed(`the handler of ${task.kind} failed unexpectedly; the worker's log has the details`)
          )
      })
  })
  return host.logs.debug
    ? Effect.andThen(Effect.annotateLogs(Effect.logDebug("task started"), { operation: "task_started" }), run)
    : run
}

const conclude = (
  host: Host,
  { returned, settled, stop, task }: Attempt,
  exit: Exit.Exit<AttemptOutcome>,
  milliseconds: number,
  notes: AttemptContext.Notes,
  parent: Parent
): Effect.Effect<void> => {
  const outcome = Exit.isSuccess(exit) ? exit.value : stopped(stop())
  const end = (traceparent: string) =>
    Effect.sync(() => {
      if (outcome !== undefined) host.outbox.handIn({ task_id: task.task_id, attempt: task.attempt, outcome, traceparent }, settled)
      else host.ledger.end(task)
      returned(milliseconds)
      if (outcome === undefined) settled()
    })
  if (outcome === undefined) return end("")
  const told = tell(host, task, outcome, milliseconds, notes)
  return isRecorded(parent)
    ? Effect.annotateCurrentSpan(Attribute.taskOutcome, outcome._tag === "Cancelled" ? "Stopped" : outcome._tag).pipe(
      Effect.andThen(told),
      Effect.andThen(currentTraceparent),
      Effect.flatMap(end)
    )
    : Effect.andThen(told, end(""))
}

const stopped = (stop: Stop | undefined): AttemptOutcome | undefined =>
  stop === undefined
    ? undefined
    : stop._tag === "Cancelled"
    ? { _tag: "Cancelled", error: stop.reason }
    : failed("the task's deadline passed before it was done")

const failed = (error: string, { detail, retry_after, retryable = true }: Partial<TaskFailure> = {}): AttemptOutcome => ({
  _tag: "Failed",
  error,
  retryable,
  ...(retry_after === undefined ? {} : { retry_after }),
  ...(detail === undefined ? {} : { detail })
})

const logFailure = (failure: TaskFailure) =>
  failure.cause === undefined ? Effect.void : Effect.logDebug("cause of the failure", failure.cause)

/** The one line about an attempt, and its metrics. */
const tell = ({ logs }: Host, task: WorkerTask, outcome: AttemptOutcome, milliseconds: number, notes: AttemptContext.Notes) => {
  const labels = { kind: task.kind, outcome: labelOf[outcome._tag] }
  const measured = Effect.andThen(Metrics.workerTasks.add(labels), Metrics.workerTaskDuration.record(labels, milliseconds / 1_000))
  if (outcome._tag !== "Failed" && !logs.info) return measured
  const log = outcome._tag === "Failed" ? Effect.logWarning(`task failed: ${outcome.error}`) : Effect.logInfo(`task ${labels.outcome}`)
  return Effect.andThen(measured, Effect.annotateLogs(log, { operation: `task_${labels.outcome}`, duration_ms: milliseconds, ...notes }))
}

const labelOf = { Completed: "completed", Failed: "failed", Cancelled: "cancelled" } as const

/** The span in whose trace the task was submitted, read once for each attempt. */
type Parent = Option.Option<Tracer.ExternalSpan>

/** By its flags; a task without one begins a trace, which its sampler decides on. */
const isRecorded = (parent: Parent): boolean => Option.isNone(parent) || parent.value.sampled

const inTrace = ({ workerId }: Host, task: WorkerTask, parent: Parent) => (attempt: Effect.Effect<void>): Effect.Effect<void> => {
  if (Option.isSome(parent) && !isRecorded(parent)) return Effect.provideService(attempt, Tracer.ParentSpan, parent.value)
  return attempt.pipe(Effect.withSpan(`task ${task.kind}`, {
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
    ...(Option.isSome(parent) ? { parent: parent.value } : { root: true })
  }, { captureStackTrace: false }))
}

