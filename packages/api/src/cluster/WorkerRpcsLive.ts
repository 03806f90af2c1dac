/** RPC of the cluster: see WorkerRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { WorkerRpcs } from "@englog/rpc/rpc/WorkerRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { ClusterStatus } from "./ClusterStatus.ts"
import { ScalingSignal } from "./ScalingSignal.ts"
import { WorkerAdministration } from "./WorkerAdministration.ts"

export const WorkerRpcsLive = WorkerRpcs.toLayer(Effect.gen(function*() {
  const cluster = yield* ClusterStatus
  const scaling = yield* ScalingSignal
  const administration = yield* WorkerAdministration
  return WorkerRpcs.of({
    ListWorkers: () => orRpcFailure(cluster.workers),
    GetWorkersHealth: () => orRpcFailure(cluster.health),
    GetWorkersScaling: () => orRpcFailure(scaling.current),
    PauseWorker: ({ worker_id }) => CurrentUser.use((user) => orRpcFailure(administration.pause(user, worker_id))),
    ResumeWorker: ({ worker_id }) => CurrentUser.use((user) => orRpcFailure(administration.resume(user, worker_id)))
  })
}))
