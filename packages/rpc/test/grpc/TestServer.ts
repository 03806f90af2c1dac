/** A real server on a free port and a client connected to it, for handlers that the test writes. */
import { NodeFileSystem } from "@effect/platform-node"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import * as GrpcClient from "@englog/rpc/grpc/GrpcClient"
import type { Handlers } from "@englog/rpc/grpc/GrpcMethods"
import * as GrpcServer from "@englog/rpc/grpc/GrpcServer"
import { noTls, type TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { Effect, Stream } from "effect"

export type WorkerHandlers = Handlers<typeof APIWorkerService>

const unimplemented = new GrpcError({ code: "UNIMPLEMENTED", message: "not part of this test" })

/** Every method answers UNIMPLEMENTED but those given. */
export const handlers = (given: Partial<WorkerHandlers>): WorkerHandlers => ({
  registerWorker: () => Effect.fail(unimplemented),
  workerHeartbeat: () => Effect.fail(unimplemented),
  streamTasks: () => Stream.fail(unimplemented),
  reportTaskResult: () => Effect.fail(unimplemented),
  updateTaskProgress: () => Effect.fail(unimplemented),
  healthCheck: () => Effect.fail(unimplemented),
  getTaskData: () => Effect.fail(unimplemented),
  getTaskDataPart: () => Effect.fail(unimplemented),
  beginEffect: () => Effect.fail(unimplemented),
  storeTaskPart: () => Effect.fail(unimplemented),
  leaveSession: () => Effect.fail(unimplemented),
  session: () => Stream.fail(unimplemented),
  ...given
})

export const serve = (
  given: Partial<WorkerHandlers>,
  options: { readonly tls?: TlsFiles; readonly port?: number; readonly stopLimit?: "200 millis" } = {}
) =>
  GrpcServer.serve(APIWorkerService, handlers(given), {
    host: "127.0.0.1",
    port: options.port ?? 0,
    tls: options.tls ?? noTls,
    stopLimit: options.stopLimit ?? "200 millis"
  }).pipe(Effect.provide(NodeFileSystem.layer))

export const connect = (port: number, tls: TlsFiles = noTls) =>
  GrpcClient.make(APIWorkerService, { address: `127.0.0.1:${port}`, tls }).pipe(Effect.provide(NodeFileSystem.layer))

export const serveAndConnect = Effect.fnUntraced(function*(given: Partial<WorkerHandlers>) {
  const server = yield* serve(given)
  return yield* connect(server.port)
})
