/** RPC of the cluster: see WorkerRpcs. */
import { WorkerRpcs } from "@englog/rpc/rpc/WorkerRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { ClusterStatus } from "./ClusterStatus.ts"
import { ScalingSignal } from "./ScalingSignal.ts"

export const WorkerRpcsLive = WorkerRpcs.toLayer(Effect.gen(function*() {
  const cluster = yield* ClusterStatus
  const scaling = yield* ScalingSignal
  return WorkerRpcs.of({
    ListWorkers: () => orRpcFailure(cluster.workers),
    GetWorkersHealth: () => orRpcFailure(cluster.health),
    GetWorkersScaling: () => orRpcFailure(scaling.current)
  })
}))
