/**
 * One session with one API server: what the worker may ask of it, in domain terms. Every call carries the session's proof.
 * With `ApiLink` this is the only place of the worker where the wire contract appears.
 */
import type { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import type { GrpcClient } from "@englog/rpc/grpc/GrpcClient"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import * as Codec from "@englog/rpc/grpc/WorkerCodec"
import type * as Messages from "@englog/rpc/grpc/WorkerMessages"
import { Duration, Effect, Option, Stream } from "effect"

export interface ApiSession {
  readonly address: string
  readonly token: Messages.SessionToken
  readonly heartbeatInterval: Duration.Duration
  readonly tasks: Stream.Stream<Messages.ToWorker, GrpcError>
  readonly heartbeat: (beat: Omit<Messages.Heartbeat, ProofField>) => Effect.Effect<Messages.HeartbeatAnswer, GrpcError>
  readonly report: (report: Omit<Messages.OutcomeReport, ProofField>) => Effect.Effect<Messages.ReportAnswer, GrpcError>
  readonly progress: (report: Omit<Messages.ProgressReport, ProofField>) => Effect.Effect<void, GrpcError>
  /** JSON text. */
  readonly taskData: (held: Messages.HeldTask) => Effect.Effect<string, GrpcError>
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
    calls.registerWorker(Codec.encodeRegistration(registration), limit),
    Codec.decodeRegistrationAnswer
  )
  const proof = { worker_id: registration.worker_id, session_token: answer.session_token }
  const session: ApiSession = {
    address: client.address,
    token: answer.session_token,
    heartbeatInterval: answer.heartbeat_interval,
    tasks: calls.streamTasks(Codec.encodeSubscription({ ...proof, kinds: [] })).pipe(
      // One message that breaks the contract must not take the others down with it.
      Stream.mapEffect((message) =>
        Codec.decodeToWorker(message).pipe(
          Effect.tapError((error) =>
            Effect.logWarning("skipped a task stream message").pipe(Effect.annotateLogs({ reason: error.message }))
          ),
          Effect.orElseSucceed(() => Option.none<Messages.ToWorker>())
        )
      ),
      Stream.flatMap((message) => Stream.fromIterable(Option.toArray(message)))
    ),
    heartbeat: (beat) =>
      Effect.flatMap(calls.workerHeartbeat(Codec.encodeHeartbeat({ ...proof, ...beat }), limit), Codec.decodeHeartbeatAnswer),
    report: (report) =>
      Effect.map(calls.reportTaskResult(Codec.encodeReport({ ...proof, ...report }), limit), Codec.decodeReportAnswer),
    progress: (report) => Effect.asVoid(calls.updateTaskProgress(Codec.encodeProgress({ ...proof, ...report }), limit)),
    taskData: (held) => Effect.map(calls.getTaskData(Codec.encodeTaskDataQuestion({ ...proof, ...held }), limit), ({ data }) => data),
    leave: (reason) => Effect.asVoid(calls.leaveSession(Codec.encodeLeave({ ...proof, reason }), limit))
  }
  return session
})
