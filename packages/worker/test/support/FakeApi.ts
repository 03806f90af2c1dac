/** A gRPC server that plays the API: it records what workers do and answers as the test's script says. */
import { NodeFileSystem } from "@effect/platform-node"
import { TaskId } from "@englog/domain/Ids"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import * as GrpcServer from "@englog/rpc/grpc/GrpcServer"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import * as SessionCodec from "@englog/rpc/grpc/SessionCodec"
import * as Session from "@englog/rpc/grpc/SessionMessages"
import * as HeartbeatCodec from "@englog/rpc/grpc/HeartbeatCodec"
import * as RegistrationCodec from "@englog/rpc/grpc/RegistrationCodec"
import * as ReportCodec from "@englog/rpc/grpc/ReportCodec"
import type * as Messages from "@englog/rpc/grpc/WorkerMessages"
import { DateTime, Duration, Effect, Option, Pull, Queue, Redacted, Schedule, Stream } from "effect"

export interface Script {
  readonly register?: (registration: Messages.WorkerRegistration, nth: number) => Effect.Effect<Messages.RegistrationAnswer, GrpcError>
  /** Asked for pings that are answered, too. */
  readonly heartbeat?: (beat: Beat, nth: number) => Effect.Effect<Partial<Messages.HeartbeatAnswer>, GrpcError>
  /** Refuses an outcome by the code that the unary method would have; UNAUTHENTICATED ends the stream. */
  readonly report?: (report: Session.NumberedOutcome, nth: number) => Effect.Effect<void, GrpcError>
  /** What happens between the end of the session and the answer to LeaveSession. */
  readonly leave?: Effect.Effect<void>
  readonly data?: (question: Messages.TaskDataQuestion) => Effect.Effect<string, GrpcError>
  /** Granted, unless the script says otherwise. */
  readonly begin?: (intent: Messages.EffectIntent) => Effect.Effect<Messages.EffectPermission, GrpcError>
}

export type Beat = Omit<Messages.Heartbeat, keyof Messages.SessionProof>

const unimplemented = new GrpcError({ code: "UNIMPLEMENTED", message: "this worker uses its session's stream" })

const refusalOf = ({ code }: GrpcError): Session.OutcomeRefusal =>
  code === "FAILED_PRECONDITION" ? "not_held" : code === "INVALID_ARGUMENT" ? "invalid" : "later"

/** As the API says it. */
const sessionOver = new GrpcError({ code: "UNAUTHENTICATED", message: "the session is over" })

export const welcome = (token: string, heartbeat: Duration.Input = "30 seconds"): Messages.RegistrationAnswer => ({
  session_token: Redacted.make(token),
  heartbeat_interval: Duration.fromInputUnsafe(heartbeat),
  message: "welcome"
})

export const make = Effect.fnUntraced(function*(script: Script = {}, port = 0) {
  const registrations: Array<Messages.WorkerRegistration> = []
  const heartbeats: Array<Beat> = []
  const reports: Array<Session.NumberedOutcome> = []
  const progress: Array<Session.TaskStep> = []
  const openings: Array<Session.SessionOpening> = []
  const frames: Array<Session.FromWorker> = []
  const departures: Array<Messages.LeaveNotice> = []
  const parts: Array<Messages.TaskPart> = []
  const streams = { opened: 0, open: 0 }
  const outbox = yield* Queue.unbounded<Messages.ToWorker, GrpcError>()
  const server = yield* GrpcServer.serve(APIWorkerService, {
    registerWorker: Effect.fnUntraced(function*(request) {
      const registration = yield* RegistrationCodec.decodeRegistration(request)
      const nth = registrations.push(registration)
      return RegistrationCodec.encodeRegistrationAnswer(yield* script.register?.(registration, nth) ?? Effect.succeed(welcome(`session-${nth}`)))
    }),
    workerHeartbeat: Effect.fnUntraced(function*(request) {
      const beat = yield* HeartbeatCodec.decodeHeartbeat(request)
      if (departures.some((notice) => notice.worker_id === beat.worker_id)) return yield* sessionOver
      const nth = heartbeats.push(beat)
      const answer = yield* script.heartbeat?.(beat, nth) ?? Effect.succeed({})
      return HeartbeatCodec.encodeHeartbeatAnswer({
        connection_healthy: true,
        server_time: yield* DateTime.now,
        revoked_tasks: [],
        ...answer
      })
    }),
    session: (requests) =>
      Stream.unwrap(Effect.gen(function*() {
        const pull = yield* Stream.toPull(requests)
        const [first, ...early] = yield* Pull.catchDone(pull, () => Effect.fail(sessionOver))
        openings.push(yield* SessionCodec.decodeOpening(first))
        const answers = yield* Queue.unbounded<Session.FromServer>()
        const hear = Effect.fnUntraced(function*(request: typeof first) {
          const message = yield* SessionCodec.decodeFromWorker(request)
          frames.push(message)
          progress.push(...message.steps)
          for (const outcome of message.outcomes) {
            const nth = reports.push(outcome)
            const refused = yield* Effect.flip(script.report?.(outcome, nth) ?? Effect.void).pipe(Effect.option)
            if (Option.isNone(refused)) yield* Queue.offer(answers, Session.fromServer({ accepted: [outcome.number] }))
            else if (refused.value.code === "UNAUTHENTICATED") return yield* refused.value
            else {
              const refusal = { number: outcome.number, refusal: refusalOf(refused.value), reason: refused.value.message }
              yield* Queue.offer(answers, Session.fromServer({ refused: [refusal] }))
            }
          }
          if (message.ping_answer !== undefined) {
            const { held_tasks, sequence, status } = message.ping_answer
            const beat = { status, held_tasks, acknowledged_ping: sequence, stats: Option.none() }
            const nth = heartbeats.push(beat)
            const answer: Partial<Messages.HeartbeatAnswer> = yield* script.heartbeat?.(beat, nth) ?? Effect.succeed({})
            yield* Queue.offer(answers, Session.fromServer({ revoked_tasks: answer.revoked_tasks ?? [] }))
          }
        })
        let deliveries = 0
        // As the API does: all that waits goes into one message.
        const sent = Stream.fromPull(Effect.succeed(Effect.map(Queue.takeBetween(outbox, 1, 64), (waiting) => {
          const tasks = waiting.flatMap((message) => message._tag === "Task" ? [message.task] : [])
          const commands = waiting.filter((message) => message._tag !== "Task")
          deliveries += tasks.length > 0 ? 1 : 0
          return [Session.fromServer({ delivery: tasks.length > 0 ? deliveries : 0, tasks, commands })] as const
        })))
        streams.opened++
        streams.open++
        const listen = Effect.forEach(early, hear).pipe(
          Effect.andThen(Effect.forever(Effect.flatMap(pull, (messages) => Effect.forEach(messages, hear)))),
          Pull.catchDone(() => Effect.void)
        )
        return Stream.merge(sent, Stream.fromQueue(answers)).pipe(
          Stream.map(SessionCodec.encodeFromServer),
          Stream.interruptWhen(listen),
          Stream.ensuring(Effect.sync(() => streams.open--))
        )
      })),
    streamTasks: () => Stream.fail(unimplemented),
    reportTaskResult: () => Effect.fail(unimplemented),
    updateTaskProgress: () => Effect.fail(unimplemented),
    healthCheck: () => Effect.succeed({ status: "healthy" }),
    getTaskData: Effect.fnUntraced(function*(request) {
      const question = yield* ReportCodec.decodeTaskDataQuestion(request)
      return { data: yield* script.data?.(question) ?? Effect.succeed("{}") }
    }),
    getTaskDataPart: () => Effect.fail(unimplemented),
    beginEffect: Effect.fnUntraced(function*(request) {
      const intent = yield* ReportCodec.decodeBeginEffect(request)
      return yield* script.begin?.(intent) ?? Effect.succeed({ granted: true, reason: "" })
    }),
    storeTaskPart: Effect.fnUntraced(function*(request) {
      parts.push(yield* ReportCodec.decodeTaskPart(request))
      return {}
    }),
    leaveSession: Effect.fnUntraced(function*(request) {
      departures.push(yield* RegistrationCodec.decodeLeave(request))
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
    openings,
    frames,
    departures,
    parts,
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
