/**
 * How a worker reaches an API server: by gRPC. Not configuration: only a simulation, whose network is its own, reaches one otherwise.
 */
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as GrpcClient from "@englog/rpc/grpc/GrpcClient"
import type { GrpcTlsError } from "@englog/rpc/grpc/GrpcTls"
import { Context, type Effect, type FileSystem, type Scope } from "effect"

export type DialOptions = GrpcClient.GrpcClientOptions<typeof APIWorkerService>

export const Dial = Context.Reference<
  (options: DialOptions) => Effect.Effect<GrpcClient.GrpcClient<typeof APIWorkerService>, GrpcTlsError, Scope.Scope | FileSystem.FileSystem>
>("@englog/worker/Dial", { defaultValue: () => (options) => GrpcClient.make(APIWorkerService, options) })
