/** What a handler gets beside its task: progress, data and the time left, all for one attempt and over the current session. */
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { MAX_PROGRESS_MESSAGE_LENGTH } from "@englog/rpc/grpc/WireLimits"
import type { HeldTask, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { DateTime, Duration, Effect, Option, Ref, Schedule, SubscriptionRef } from "effect"
import { ApiLink } from "./ApiLink.ts"
import { TaskFailure, type TaskContext } from "./handlers/TaskHandler.ts"

/** Progress is news, not state: what cannot be sent within this is dropped. */
const PROGRESS_LIMIT = Duration.seconds(2)

/** `notes`: where the handler's notes are gathered. */
export const make = Effect.fnUntraced(function*(task: WorkerTask, notes: Ref.Ref<Readonly<Record<string, string | number>>>) {
  const link = yield* ApiLink
  const held: HeldTask = { task_id: task.task_id, attempt: task.attempt }
  const context: TaskContext = {
    progress: (percent, message) => progress(link, held, Math.round(Math.min(100, Math.max(0, percent))), message),
    data: data(link, held),
    note: (fields) => Ref.update(notes, (before) => ({ ...before, ...fields })),
    timeLeft: Option.match(task.deadline, {
      onNone: () => Effect.succeed(Duration.infinity),
      onSome: (deadline) =>
        Effect.map(link.serverTime, (now) =>
          Duration.max(Duration.zero, Duration.millis(DateTime.toEpochMillis(deadline) - DateTime.toEpochMillis(now))))
    })
  }
  return context
})

type Link = ApiLink["Service"]

const progress = (link: Link, held: HeldTask, percent: number, message: string) =>
  Effect.flatMap(SubscriptionRef.get(link.session), (session) =>
    Option.isSome(session) ? session.value.progress({ ...held, progress: percent, message: message.slice(0, MAX_PROGRESS_MESSAGE_LENGTH).toWellFormed() }) : Effect.void).pipe(
      Effect.timeout(PROGRESS_LIMIT),
      Effect.catch((error) => Effect.logDebug("progress not sent").pipe(Effect.annotateLogs({ reason: error.message })))
    )

/** Asks again across reconnects: the attempt stays held while its session can be resumed. */
const data = (link: Link, held: HeldTask) =>
  Effect.flatMap(link.awaitSession, (session) =>
    session.taskData(held).pipe(
      Effect.tapError((error) => error.code === "UNAUTHENTICATED" ? link.renounce(session) : Effect.void)
    )).pipe(
      Effect.retry({ schedule: Schedule.spaced("1 second").pipe(Schedule.jittered), while: isTransient }),
      Effect.mapError((cause) => new TaskFailure({ message: `the task's data is not to be had: ${cause.message}`, cause }))
    )

const isTransient = (error: GrpcError): boolean =>
  ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"]
    .includes(error.code)
