/** A gRPC server that plays the API: it records what workers do and answers as the test's script says. */
import { NodeFileSystem } from "@effect/platform-node"
import { TaskId } from "@englog/domain/Ids"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import * as GrpcServer from "@englog/rpc/grpc/GrpcServer"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import * as Codec from "@englog/rpc/grpc/WorkerCodec"
import type * as Messages from "@englog/rpc/grpc/WorkerMessages"
import { DateTime, Duration, Effect, Option, Queue, Redacted, Schedule, Stream } from "effect"

export interface Script {
  readonly register?: (registration: Messages.WorkerRegistration, nth: number) => Effect.Effect<Messages.RegistrationAnswer, GrpcError>
  readonly heartbeat?: (beat: Messages.Heartbeat, nth: number) => Effect.Effect<Partial<Messages.HeartbeatAnswer>, GrpcError>
  readonly report?: (report: Messages.OutcomeReport, nth: number) => Effect.Effect<Messages.ReportAnswer, GrpcError>
  readonly progress?: (report: Messages.ProgressReport) => Effect.Effect<void, GrpcError>
  /** What happens between the end of the session and the answer to LeaveSession. */
  readonly leave?: Effect.Effect<void>
  readonly data?: (question: Messages.TaskDataQuestion) => Effect.Effect<string, GrpcError>
}

/** As the API says it. */
const sessionOver = new GrpcError({ code: "UNAUTHENTICATED", message: "the session is over" })

export const welcome = (token: string, heartbeat: Duration.Input = "30 seconds"): Messages.RegistrationAnswer => ({
  session_token: Redacted.make(token),
  heartbeat_interval: Duration.fromInputUnsafe(heartbeat),
  message: "welcome"
})

export const make = Effect.fnUntraced(function*(script: Script = {}, port = 0) {
  const registrations: Array<Messages.WorkerRegistration> = []
  const heartbeats: Array<Messages.Heartbeat> = []
  const reports: Array<Messages.OutcomeReport> = []
  const progress: Array<Messages.ProgressReport> = []
  const departures: Array<Messages.LeaveNotice> = []
  const streams = { opened: 0, open: 0 }
  const outbox = yield* Queue.unbounded<Messages.ToWorker, GrpcError>()
  const server = yield* GrpcServer.serve(APIWorkerService, {
    registerWorker: Effect.fnUntraced(function*(request) {
      const registration = yield* Codec.decodeRegistration(request)
      const nth = registrations.push(registration)
      return Codec.encodeRegistrationAnswer(yield* script.register?.(registration, nth) ?? Effect.succeed(welcome(`session-${nth}`)))
    }),
    workerHeartbeat: Effect.fnUntraced(function*(request) {
      const beat = yield* Codec.decodeHeartbeat(request)
      if (departures.some((notice) => notice.worker_id === beat.worker_id)) return yield* sessionOver
      const nth = heartbeats.push(beat)
      const answer = yield* script.heartbeat?.(beat, nth) ?? Effect.succeed({})
      return Codec.encodeHeartbeatAnswer({
        connection_healthy: true,
        server_time: yield* DateTime.now,
        revoked_tasks: [],
        ...answer
      })
    }),
    streamTasks: () =>
      Stream.unwrap(Effect.sync(() => {
        streams.opened++
        streams.open++
        return Stream.fromQueue(outbox).pipe(Stream.map(Codec.encodeToWorker), Stream.ensuring(Effect.sync(() => streams.open--)))
      })),
    reportTaskResult: Effect.fnUntraced(function*(request) {
      const report = yield* Codec.decodeReport(request)
      const nth = reports.push(report)
      return Codec.encodeReportAnswer(yield* script.report?.(report, nth) ?? Effect.succeed({ accepted: true, message: "" }))
    }),
    updateTaskProgress: Effect.fnUntraced(function*(request) {
      const report = yield* Codec.decodeProgress(request)
      progress.push(report)
      yield* script.progress?.(report) ?? Effect.void
      return {}
    }),
    healthCheck: () => Effect.succeed({ status: "healthy" }),
    getTaskData: Effect.fnUntraced(function*(request) {
      const question = yield* Codec.decodeTaskDataQuestion(request)
      return { data: yield* script.data?.(question) ?? Effect.succeed("{}") }
    }),
    leaveSession: Effect.fnUntraced(function*(request) {
      departures.push(yield* Codec.decodeLeave(request))
      yield* Queue.fail(outbox, sessionOver)
      yield* script.leave ?? Effect.void
      return {}
    })
  }, { host: "127.0.0.1", port, tls: noTls, stopLimit: "50 millis" }).pipe(Effect.provide(NodeFileSystem.layer))
  return {
    port: server.port,
    address: `127.0.0.1:${server.port}`,
    registrations,
    heartbeats,
    reports,
    progress,
    departures,
    streams,
    send: (message: Messages.ToWorker) => Queue.offer(outbox, message)
  }
})

export type FakeApi = Effect.Success<ReturnType<typeof make>>

export const idOf = (id: string): TaskId => TaskId.make(`insight_${id}-0123456789`)

export const task = (id: string, fields: Partial<Messages.WorkerTask> = {}): Messages.ToWorker => ({
  _tag: "Task",
  task: {
    task_id: idOf(id),
    kind: "TEST",
    payload: "{}",
    priority: 5,
    attempt: 1,
    deadline: Option.none(),
    traceparent: Option.none(),
    ...fields
  }
})

/** Polls until the condition holds; fails the test with `what` after 10 s. */
export const eventually = (what: string, condition: () => boolean) =>
  Effect.suspend(() => condition() ? Effect.void : Effect.fail(`never happened: ${what}`)).pipe(
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 1_000 })
  )
