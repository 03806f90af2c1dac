/**
 * One session with one API server: what the worker may ask of it, in domain terms. Every call carries the session's proof.
 * With `ApiLink` this is the only place of the worker where the wire contract appears.
 */
import type { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import type { GrpcClient } from "@englog/rpc/grpc/GrpcClient"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import * as SessionCodec from "@englog/rpc/grpc/SessionCodec"
import type { FromServer, FromWorker, SessionOpening } from "@englog/rpc/grpc/SessionMessages"
import * as HeartbeatCodec from "@englog/rpc/grpc/HeartbeatCodec"
import * as RegistrationCodec from "@englog/rpc/grpc/RegistrationCodec"
import * as ReportCodec from "@englog/rpc/grpc/ReportCodec"
import type * as Messages from "@englog/rpc/grpc/WorkerMessages"
import { Duration, Effect, Option, Stream } from "effect"

export interface ApiSession {
  readonly address: string
  readonly token: Messages.SessionToken
  readonly heartbeatInterval: Duration.Duration
  /** The session's stream: what the server sends, for as long as it is read; `up` is what this worker says. */
  readonly stream: (
    opening: Omit<SessionOpening, ProofField>,
    up: Stream.Stream<FromWorker>
  ) => Stream.Stream<FromServer, GrpcError>
  readonly heartbeat: (beat: Omit<Messages.Heartbeat, ProofField>) => Effect.Effect<Messages.HeartbeatAnswer, GrpcError>
  /** JSON text. */
  readonly taskData: (held: Messages.HeldTask) => Effect.Effect<string, GrpcError>
  /** None where there is no such piece. */
  readonly taskDataPart: (piece: Messages.HeldTask & { readonly name: string; readonly index: number }) => Effect.Effect<Option.Option<Uint8Array>, GrpcError>
  readonly beginEffect: (held: Messages.HeldTask) => Effect.Effect<Messages.EffectPermission, GrpcError>
  /** JSON text as well. */
  readonly storePart: (part: Messages.HeldTask & { readonly part: string }) => Effect.Effect<void, GrpcError>
  readonly leave: (reason: string) => Effect.Effect<void, GrpcError>
}

type ProofField = keyof Messages.SessionProof

/** Seed 001: every call is answered well within 10 s, or the server is unwell. */
const limit = { timeout: Duration.seconds(10) }

/** Registers the worker; fails as the contract says (ALREADY_EXISTS, RESOURCE_EXHAUSTED, UNAUTHENTICATED …). */
export const open = Effect.fnUntraced(function*(
  client: GrpcClient<typeof APIWorkerService>,
  registration: Messages.WorkerRegistration
) {
  const { calls } = client
  const answer = yield* Effect.flatMap(
    calls.registerWorker(RegistrationCodec.encodeRegistration(registration), limit),
    RegistrationCodec.decodeRegistrationAnswer
  )
  const proof = { worker_id: registration.worker_id, session_token: answer.session_token }
  const session: ApiSession = {
    address: client.address,
    token: answer.session_token,
    heartbeatInterval: answer.heartbeat_interval,
    stream: (opening, up) =>
      calls.session(
        Stream.concat(
          Stream.succeed(SessionCodec.encodeOpening({ ...proof, ...opening })),
          Stream.map(up, SessionCodec.encodeFromWorker)
        )
      ).pipe(Stream.mapEffect(SessionCodec.decodeFromServer)),
    heartbeat: (beat) =>
      Effect.flatMap(calls.workerHeartbeat(HeartbeatCodec.encodeHeartbeat({ ...proof, ...beat }), limit), HeartbeatCodec.decodeHeartbeatAnswer),
    taskData: (held) => Effect.map(calls.getTaskData(ReportCodec.encodeTaskDataQuestion({ ...proof, ...held }), limit), ({ data }) => data),
    taskDataPart: (piece) =>
      calls.getTaskDataPart(ReportCodec.encodeTaskDataPartQuestion({ ...proof, ...piece }), limit).pipe(
        Effect.map(({ data }) => Option.some(data)),
        Effect.catchIf(({ code }) => code === "NOT_FOUND", () => Effect.succeedNone)
      ),
    beginEffect: (held) => Effect.map(calls.beginEffect(ReportCodec.encodeBeginEffect({ ...proof, ...held }), limit), ReportCodec.decodePermission),
    storePart: (part) => Effect.asVoid(calls.storeTaskPart(ReportCodec.encodeTaskPart({ ...proof, ...part }), limit)),
    leave: (reason) => Effect.asVoid(calls.leaveSession(RegistrationCodec.encodeLeave({ ...proof, reason }), limit))
  }
  return session
})
