/** A worker that has registered, over the project's own gRPC client and codecs: the base of those that play a worker in tests. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { WorkerId } from "@englog/domain/Ids"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as GrpcClient from "@englog/rpc/grpc/GrpcClient"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import * as RegistrationCodec from "@englog/rpc/grpc/RegistrationCodec"
import type { SessionToken, WorkerRegistration } from "@englog/rpc/grpc/WorkerMessages"
import { Effect, Option } from "effect"

export interface RegistrationOptions {
  readonly worker_id: string
  readonly kinds: ReadonlyArray<string>
  readonly queues?: ReadonlyArray<string>
  readonly slots?: number
  /** Token of the session to continue. */
  readonly resume?: SessionToken
  readonly protocol?: 1 | 2
  readonly announced_kinds?: WorkerRegistration["announced_kinds"]
}

export type Calls = GrpcClient.GrpcClient<typeof APIWorkerService>["calls"]

export const register = Effect.fnUntraced(function*(address: string, options: RegistrationOptions) {
  const { calls } = yield* GrpcClient.make(APIWorkerService, { address, tls: noTls }).pipe(Effect.provide(NodeFileSystem.layer))
  const worker_id = WorkerId.make(options.worker_id)
  const { session_token } = yield* calls.registerWorker(RegistrationCodec.encodeRegistration({
    worker_id,
    worker_name: options.worker_id,
    version: "test",
    kinds: options.kinds,
    announced_kinds: options.announced_kinds ?? [],
    max_concurrent_tasks: options.slots ?? 5,
    queues: options.queues ?? ["default"],
    protocol: options.protocol ?? 2,
    resume_session_token: Option.fromUndefinedOr(options.resume),
    enrollment_token: Option.none(),
    metadata: {}
  })).pipe(Effect.flatMap(RegistrationCodec.decodeRegistrationAnswer))
  const leave = Effect.suspend(() => calls.leaveSession(RegistrationCodec.encodeLeave({ worker_id, session_token, reason: "going home" })))
  return { worker_id, calls, token: session_token, leave: Effect.asVoid(leave) }
})

/** What has to come within the time that a test has. */
export const soon = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.orDie(Effect.timeout(effect, "10 seconds"))
