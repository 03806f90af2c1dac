/** REST of the cluster: see WorkersApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { ClusterStatus } from "./ClusterStatus.ts"
import { ScalingSignal } from "./ScalingSignal.ts"

export const WorkersHttp = HttpApiBuilder.group(EngLogApi, "workers", Effect.fn(function*(handlers) {
  const cluster = yield* ClusterStatus
  const scaling = yield* ScalingSignal
  return handlers.handleAll({
    // MAX_WORKERS bounds the list, so it is always one page.
    list: () => orUnavailable(cluster.workers).pipe(Effect.map((items) => ({ items, next_cursor: null }))),
    health: () => orUnavailable(cluster.health),
    scaling: () => orUnavailable(scaling.current)
  })
}))
