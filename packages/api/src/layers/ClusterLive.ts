/** The workers: who is connected, what they are handed, what becomes of it. */
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { CallLimits } from "../cluster/CallLimits.ts"
import { CancelCourierLive } from "../cluster/CancelCourier.ts"
import { ClusterConfig } from "../cluster/ClusterConfig.ts"
import { ClusterStatus } from "../cluster/ClusterStatus.ts"
import { DispatcherLive } from "../cluster/Dispatcher.ts"
import { DrainOnStop } from "../cluster/DrainOnStop.ts"
import { Heartbeats } from "../cluster/Heartbeats.ts"
import { LeaseRescuerLive, Replica } from "../cluster/LeaseRescuer.ts"
import { PauseCourierLive } from "../cluster/PauseCourier.ts"
import { PausedWorkerRepo } from "../cluster/PausedWorkerRepo.ts"
import { Registrations } from "../cluster/Registrations.ts"
import { ScalingMetrics, ScalingSignal } from "../cluster/ScalingSignal.ts"
import { SessionMetrics } from "../cluster/SessionMetrics.ts"
import { SessionStream } from "../cluster/SessionStream.ts"
import { StreamAttachment } from "../cluster/StreamAttachment.ts"
import { WorkerAdministration } from "../cluster/WorkerAdministration.ts"
import { WorkerGateway } from "../cluster/WorkerGateway.ts"
import { WorkerReports } from "../cluster/WorkerReports.ts"
import { WorkersCheck } from "../cluster/WorkersCheck.ts"
import { WorkerSessionRepo } from "../cluster/WorkerSessionRepo.ts"
import { WorkerSessions } from "../cluster/WorkerSessions.ts"

const clusterConfig = Layer.effect(ClusterConfig, Effect.map(AppConfig, (config) => ClusterConfig.of(config)))

const workerEdge = Layer.unwrap(Effect.gen(function*() {
  const { grpcHost, grpcPort, tls } = yield* AppConfig
  return GrpcServer.layer(APIWorkerService, yield* WorkerGateway, {
    host: grpcHost,
    port: grpcPort,
    tls,
    untraced: ["workerHeartbeat", "streamTasks", "session"],
    observe: ({ code, method, seconds }) => Metrics.rpcServed.record({ method, code }, seconds)
  })
}))

const couriers = Layer.mergeAll(CancelCourierLive, Layer.provide(PauseCourierLive, PausedWorkerRepo.layer))

export const ClusterLive = Layer.mergeAll(DispatcherLive, couriers, LeaseRescuerLive, DrainOnStop, WorkersCheck, SessionMetrics, ScalingMetrics).pipe(
  Layer.provideMerge(workerEdge),
  Layer.provide(WorkerGateway.layer),
  Layer.provide(SessionStream.layer),
  Layer.provide([Registrations.layer, StreamAttachment.layer, WorkerReports.layer]),
  Layer.provide(Heartbeats.layer),
  Layer.provide(CallLimits.layer),
  Layer.provideMerge(Layer.mergeAll(ScalingSignal.layer, WorkerAdministration.layer)),
  Layer.provideMerge(ClusterStatus.layer),
  Layer.provideMerge(Replica.layer),
  Layer.provideMerge(Layer.mergeAll(WorkerSessionRepo.layer, WorkerSessions.layer, clusterConfig))
)
