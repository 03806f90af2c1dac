/** What a handler gets beside its task: progress, data, permission and the time left, all for one attempt and over the current session. */
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { MAX_PROGRESS_MESSAGE_LENGTH } from "@englog/rpc/grpc/WireLimits"
import type { HeldTask, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { DateTime, Duration, Effect, Option, Schedule } from "effect"
import type { ApiLink } from "./ApiLink.ts"
import type { ApiSession } from "./ApiSession.ts"
import { TaskFailure, type TaskContext } from "./handlers/TaskHandler.ts"
import type { Outbox } from "./Outbox.ts"

export type Notes = Readonly<Record<string, string | number>>

export interface Reach {
  readonly link: ApiLink["Service"]
  readonly outbox: Outbox["Service"]
}

/** `note`: takes what the handler wants to have said at the attempt's end. */
export const make = ({ link, outbox }: Reach, task: WorkerTask, note: (fields: Notes) => void): TaskContext => {
  const held: HeldTask = { task_id: task.task_id, attempt: task.attempt }
  let furthest = 0
  return {
    progress: (percent, message) =>
      Effect.sync(() => {
        furthest = Math.max(furthest, Math.round(Math.min(100, Math.max(0, percent))))
        outbox.step({ ...held, progress: furthest, message: storable(message).slice(0, MAX_PROGRESS_MESSAGE_LENGTH) })
      }),
    data: ask(link, (session) => session.taskData(held), "the task's data is not to be had"),
    dataPart: (name, index) => ask(link, (session) => session.taskDataPart({ ...held, name, index }), "the task's data is not to be had"),
    begin: ask(link, (session) => session.beginEffect(held), "the API server did not say whether to go ahead"),
    store: (part) => ask(link, (session) => session.storePart({ ...held, part }), "a part of the result could not be stored"),
    note: (fields) => Effect.sync(() => note(fields)),
    timeLeft: Option.match(task.deadline, {
      onNone: () => Effect.succeed(Duration.infinity),
      onSome: (deadline) =>
        Effect.map(link.serverTime, (now) =>
          Duration.max(Duration.zero, Duration.millis(DateTime.toEpochMillis(deadline) - DateTime.toEpochMillis(now))))
    })
  }
}

const storable = (text: string): string => text.replaceAll("\u0000", "").toWellFormed()

/** Asks again across reconnects: the attempt stays held while its session can be resumed. */
const ask = <A>(link: Reach["link"], question: (session: ApiSession) => Effect.Effect<A, GrpcError>, problem: string) =>
  Effect.flatMap(link.awaitSession, (session) =>
    question(session).pipe(
      Effect.tapError((error) => error.code === "UNAUTHENTICATED" ? link.renounce(session) : Effect.void)
    )).pipe(
      Effect.retry({ schedule: Schedule.spaced("1 second").pipe(Schedule.jittered), while: isTransient }),
      Effect.mapError((cause) => new TaskFailure({ message: `${problem}: ${cause.message}`, cause }))
    )

const isTransient = (error: GrpcError): boolean =>
  ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"]
    .includes(error.code)
