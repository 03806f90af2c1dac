/**
 * A worker played by hand over gRPC: registers, takes tasks from its stream, and says whatever a test wants said, never by itself.
 */
import type { WorkerId } from "@englog/domain/Ids"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as GrpcClient from "@englog/rpc/grpc/GrpcClient"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import * as RegistrationCodec from "@englog/rpc/grpc/RegistrationCodec"
import * as ReportCodec from "@englog/rpc/grpc/ReportCodec"
import * as TaskStreamCodec from "@englog/rpc/grpc/TaskStreamCodec"
import type { AttemptOutcome, HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Effect, Option, type Redacted, Stream } from "effect"

export interface PlayedWorkerOptions {
  readonly enrollment_token?: Redacted.Redacted<string>
  /** Default 1: it knows the contract alone. As protocol 2 it neglects all duties: it answers no ping. */
  readonly protocol?: 1 | 2
  readonly kinds?: ReadonlyArray<string>
}

/** Leaves when its scope ends, without a word. */
export const playWorker = Effect.fnUntraced(function*(grpc: string, worker_id: WorkerId, options: PlayedWorkerOptions = {}) {
  const { calls } = yield* GrpcClient.make(APIWorkerService, { address: grpc, tls: noTls })
  const registration = RegistrationCodec.encodeRegistration({
    worker_id,
    worker_name: "played by hand",
    version: "0",
    kinds: options.kinds ?? ["INSIGHT_GENERATION"],
    announced_kinds: [],
    max_concurrent_tasks: 1,
    queues: ["default"],
    protocol: options.protocol ?? 1,
    resume_session_token: Option.none(),
    enrollment_token: Option.fromUndefinedOr(options.enrollment_token),
    metadata: {}
  })
  const { session_token } = yield* Effect.flatMap(calls.registerWorker(registration), RegistrationCodec.decodeRegistrationAnswer)
  const proof = { worker_id, session_token }

  /** Everything the server sends, as long as it is read. */
  const tasks = calls.streamTasks(TaskStreamCodec.encodeSubscription({ ...proof, kinds: [] })).pipe(
    Stream.mapEffect(TaskStreamCodec.decodeToWorker),
    Stream.flatMap((message) => Stream.fromIterable(Option.toArray(message)))
  )

  const reportOutcome = (held: HeldTask, outcome: AttemptOutcome) =>
    calls.reportTaskResult(ReportCodec.encodeReport({ ...proof, ...held, outcome, started_at: Option.none(), completed_at: Option.none() }))

  const report = (held: HeldTask, result: unknown) => reportOutcome(held, { _tag: "Completed", result: JSON.stringify(result) })

  const progress = (held: HeldTask, progress: number, message: string) =>
    calls.updateTaskProgress(ReportCodec.encodeProgress({ ...proof, ...held, progress, message }))

  const data = (held: HeldTask) => Effect.map(calls.getTaskData(ReportCodec.encodeTaskDataQuestion({ ...proof, ...held })), ({ data }) => data)

  return { session_token, tasks, report, reportOutcome, progress, data }
})
