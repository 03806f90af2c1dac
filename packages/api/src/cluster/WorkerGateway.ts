/**
 * APIWorkerService of proto/englog/v1/worker.proto: the gRPC edge of the cluster. It decodes, asks, encodes, and gives every
 * refusal the status code that the contract names.
 */
import type { HeldTask, SessionProof, ToWorker } from "@englog/rpc/grpc/WorkerMessages"
import type { SessionId, WorkerId } from "@englog/domain/Ids"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import type { GrpcCall, Handlers } from "@englog/rpc/grpc/GrpcMethods"
import * as Complaints from "@englog/rpc/grpc/Complaints"
import * as HeartbeatCodec from "@englog/rpc/grpc/HeartbeatCodec"
import * as RegistrationCodec from "@englog/rpc/grpc/RegistrationCodec"
import * as ReportCodec from "@englog/rpc/grpc/ReportCodec"
import * as TaskStreamCodec from "@englog/rpc/grpc/TaskStreamCodec"
import { announce } from "@englog/rpc/grpc/WorkerKinds"
import { Context, DateTime, Effect, Layer, Option, Stream } from "effect"
import { LeaseRepo } from "../queue/LeaseRepo.ts"
import { TaskKinds } from "../queue/TaskKinds.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import type { SessionMethod } from "./CallLimits.ts"
import { endOf, exhausted, fail, unavailable } from "./GatewayErrors.ts"
import { Heartbeats } from "./Heartbeats.ts"
import { type RegistrationRefused, Registrations } from "./Registrations.ts"
import { WorkerSessionRepo } from "./WorkerSessionRepo.ts"
import { SessionStream } from "./SessionStream.ts"
import { StreamAttachment } from "./StreamAttachment.ts"
import { toReport } from "./WorkerReports.ts"
import { type Outgoing, WorkerSessions } from "./WorkerSessions.ts"

export class WorkerGateway extends Context.Service<WorkerGateway, Handlers<typeof APIWorkerService>>()(
  "@englog/api/cluster/WorkerGateway"
) {
  static readonly layer = Layer.effect(
    WorkerGateway,
    Effect.gen(function*() {
      const registrations = yield* Registrations
      const heartbeats = yield* Heartbeats
      const sessions = yield* WorkerSessions
      const repo = yield* WorkerSessionRepo
      const attachment = yield* StreamAttachment
      const stream = yield* SessionStream
      const leases = yield* LeaseRepo
      const kinds = yield* TaskKinds
      const outcomes = yield* TaskOutcomes

      /** Anybody may ask, so that the database is asked once a second at most. */
      const databaseHealth = yield* Effect.cachedWithTTL(
        repo.live.pipe(Effect.as("healthy"), Effect.orElseSucceed(() => "unhealthy")),
        "1 second"
      )

      const complain = yield* Complaints.make
      /** An operator has to learn of it too. */
      const refused = (worker_id: WorkerId, { peer }: GrpcCall) => (error: { readonly message: string }) =>
        complain(`refused a worker: ${error.message}`, { component: "cluster", operation: "refuse", worker_id, address: peer })

      const prove = (proof: SessionProof, call: GrpcCall, method?: SessionMethod) =>
        registrations.prove(proof, call, method).pipe(
          Effect.tapErrorTag(["TooManyCalls", "WrongCertificate"], refused(proof.worker_id, call)),
          Effect.catchTags({
            TooManyCalls: exhausted,
            SessionOver: (error) => fail("UNAUTHENTICATED", error.message),
            WrongCertificate: (error) => fail("PERMISSION_DENIED", error.message),
            SqlError: unavailable
          })
        )

      /** Tells a worker to drop a task; it does, perhaps without another word, so that its slot is free. */
      const notHeld = (id: SessionId, task: HeldTask) =>
        sessions.freeSlot(id, task.task_id, task.attempt).pipe(
          Effect.andThen(fail("FAILED_PRECONDITION", "this session does not hold this attempt"))
        )

      const held = Effect.fnUntraced(function*(id: SessionId, task: HeldTask) {
        const lease = yield* leases.held(task.task_id, id, task.attempt).pipe(Effect.catchTag("SqlError", unavailable))
        return Option.isSome(lease) ? lease.value : yield* notHeld(id, task)
      })

      const streamTasks = Effect.fnUntraced(function*(
        proof: SessionProof & { readonly kinds: ReadonlyArray<string> },
        call: GrpcCall
      ) {
        const proven = yield* prove(proof, call, "stream")
        // Capabilities choose among the numbered kinds only; a stream has no words for the others.
        const row = proof.kinds.length === 0 ? proven : { ...proven, kinds: [...proof.kinds, ...announce(proven.kinds).kinds] }
        const running = yield* leases.heldBy(row.id).pipe(Effect.catchTag("SqlError", unavailable))
        const session = yield* attachment.open(row, running, 0).pipe(Effect.catchTag("SqlError", unavailable))
        return Stream.fromQueue(session.mailbox).pipe(
          Stream.tap(() => sessions.emptied(session)),
          Stream.filter(isForTaskStream),
          Stream.map(TaskStreamCodec.encodeToWorker),
          Stream.mapError(endOf)
        )
      })

      return WorkerGateway.of({
        registerWorker: (request, call) =>
          RegistrationCodec.decodeRegistration(request).pipe(
            Effect.flatMap((registration) =>
              registrations.register(registration, call).pipe(
                Effect.tapErrorTag(
                  ["RegistrationRefused", "KindRefused", "WrongCertificate", "TooManyCalls"],
                  refused(registration.worker_id, call)
                )
              )),
            Effect.catchTags({
              RegistrationRefused: (error) => fail(refusalCode[error.reason], error.message),
              KindRefused: (error) => fail(error.reason === "invalid" ? "INVALID_ARGUMENT" : "FAILED_PRECONDITION", error.message),
              WrongCertificate: (error) => fail("PERMISSION_DENIED", error.message),
              TooManyCalls: exhausted,
              SqlError: unavailable
            }),
            Effect.map(RegistrationCodec.encodeRegistrationAnswer)
          ),
        workerHeartbeat: Effect.fnUntraced(function*(request, call) {
          const beat = yield* HeartbeatCodec.decodeHeartbeat(request)
          const session = yield* prove(beat, call, "heartbeat")
          const answer = yield* heartbeats.receive(session, beat).pipe(Effect.catchTag("SqlError", unavailable))
          return HeartbeatCodec.encodeHeartbeatAnswer(answer)
        }, Effect.withTracerEnabled(false)),
        // Like heartbeats, streams have no span of their own: what they do would be a trace each.
        streamTasks: (request, call) =>
          Stream.unwrap(TaskStreamCodec.decodeSubscription(request).pipe(
            Effect.flatMap((subscription) => streamTasks(subscription, call)),
            Effect.withTracerEnabled(false)
          )),
        reportTaskResult: Effect.fnUntraced(function*(request, call) {
          const report = yield* ReportCodec.decodeReport(request)
          const session = yield* prove(report, call)
          yield* outcomes.report(
            { task_id: report.task_id, session_id: session.id, attempt: report.attempt, outcome: toReport(report.outcome) },
            session.lineage
          ).pipe(
            Effect.tap(sessions.freeSlot(session.id, report.task_id, report.attempt)),
            Effect.tapErrorTag("NotHeld", () => sessions.freeSlot(session.id, report.task_id, report.attempt)),
            Effect.catchTags({
              NotHeld: (error) => fail("FAILED_PRECONDITION", error.message),
              InvalidResult: (error) => fail("INVALID_ARGUMENT", error.message),
              OutcomeEffectError: (error) =>
                Effect.logError("an outcome could not be carried out", error).pipe(
                  Effect.andThen(fail("UNAVAILABLE", "the outcome could not be carried out; try again"))
                ),
              SqlError: unavailable
            })
          )
          return ReportCodec.encodeReportAnswer({ accepted: true, message: "" })
        }),
        updateTaskProgress: Effect.fnUntraced(function*(request, call) {
          const report = yield* ReportCodec.decodeProgress(request)
          const session = yield* prove(report, call)
          const [answer] = yield* outcomes.progress([{
            task_id: report.task_id,
            session_id: session.id,
            attempt: report.attempt,
            progress: report.progress,
            message: report.message === "" ? null : report.message
          }]).pipe(Effect.catchTag("SqlError", unavailable))
          if (answer === "not_held" || answer === "cancelled") return yield* notHeld(session.id, report)
          if (answer === "behind") return yield* fail("INVALID_ARGUMENT", `progress: ${report.progress} is behind what was reported before`)
          return {}
        }),
        getTaskData: Effect.fnUntraced(function*(request, call) {
          const question = yield* ReportCodec.decodeTaskDataQuestion(request)
          const session = yield* prove(question, call)
          const lease = yield* held(session.id, question)
          const data = kinds.find(lease.kind)?.data
          if (data === undefined) return yield* fail("NOT_FOUND", `tasks of kind ${lease.kind} have no data beyond their payload`)
          return {
            data: yield* data(lease).pipe(Effect.catchTags({
              SqlError: unavailable,
              OutcomeEffectError: (error) =>
                Effect.logError("a task's data could not be gathered", error).pipe(
                  Effect.andThen(fail("UNAVAILABLE", "the task's data could not be gathered; try again"))
                )
            }))
          }
        }),
        getTaskDataPart: Effect.fnUntraced(function*(request, call) {
          const question = yield* ReportCodec.decodeTaskDataPartQuestion(request)
          const session = yield* prove(question, call)
          const lease = yield* held(session.id, question)
          const dataPart = kinds.find(lease.kind)?.dataPart
          const piece = dataPart === undefined ? Option.none() : yield* dataPart(lease, question).pipe(Effect.catchTag("SqlError", unavailable))
          return Option.isSome(piece)
            ? { data: piece.value }
            : yield* fail("NOT_FOUND", `there is no piece ${question.index} of the data "${question.name}" of this task`)
        }),
        beginEffect: Effect.fnUntraced(function*(request, call) {
          const intent = yield* ReportCodec.decodeBeginEffect(request)
          const session = yield* prove(intent, call)
          const lease = yield* held(session.id, intent)
          const begin = kinds.find(lease.kind)?.begin
          return begin === undefined ? { granted: true, reason: "" } : yield* begin(lease).pipe(Effect.catchTag("SqlError", unavailable))
        }),
        storeTaskPart: Effect.fnUntraced(function*(request, call) {
          const report = yield* ReportCodec.decodeTaskPart(request)
          const session = yield* prove(report, call)
          const lease = yield* held(session.id, report)
          const onPart = kinds.find(lease.kind)?.onPart
          if (onPart === undefined) return yield* fail("NOT_FOUND", `tasks of kind ${lease.kind} take no parts`)
          yield* onPart(lease, report.part).pipe(Effect.catchTags({
            SqlError: unavailable,
            InvalidResult: (error) => fail("INVALID_ARGUMENT", error.message)
          }))
          return {}
        }),
        leaveSession: Effect.fnUntraced(function*(request, call) {
          const notice = yield* RegistrationCodec.decodeLeave(request)
          const session = yield* prove(notice, call)
          yield* registrations.leave(session, notice.reason).pipe(Effect.catchTag("SqlError", unavailable))
          return {}
        }),
        // A span for hours would hold no trace together; what is said of a sampled task is part of its own.
        session: (requests, call) => Stream.unwrap(stream.open(requests, (opening) => prove(opening, call, "stream"))),
        healthCheck: Effect.fnUntraced(function*() {
          const database = yield* databaseHealth
          return HeartbeatCodec.encodeServerHealth({
            status: database === "healthy" ? "healthy" : "unhealthy",
            services: { database },
            timestamp: yield* DateTime.now
          })
        })
      })
    })
  )
}

/** Answers and revocations are a session stream's; a task stream has no words for them, and nobody puts them there. */
/** A task stream has no words for the others; a paused worker on one is given nothing all the same. */
const isForTaskStream = (message: Outgoing): message is ToWorker => !["Answers", "Revoked", "PauseIntake", "ResumeIntake"].includes(message._tag)

const refusalCode = {
  unenrolled: "UNAUTHENTICATED",
  taken: "ALREADY_EXISTS",
  full: "RESOURCE_EXHAUSTED"
} as const satisfies Record<RegistrationRefused["reason"], GrpcError["code"]>
