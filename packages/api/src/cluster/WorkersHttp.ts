/** REST of the cluster: see WorkersApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { ClusterStatus } from "./ClusterStatus.ts"
import { ScalingSignal } from "./ScalingSignal.ts"
import { WorkerAdministration } from "./WorkerAdministration.ts"

export const WorkersHttp = HttpApiBuilder.group(EngLogApi, "workers", Effect.fn(function*(handlers) {
  const cluster = yield* ClusterStatus
  const scaling = yield* ScalingSignal
  const administration = yield* WorkerAdministration
  return handlers.handleAll({
    // MAX_WORKERS bounds the list, so it is always one page.
    list: () => orUnavailable(cluster.workers).pipe(Effect.map((items) => ({ items, next_cursor: null }))),
    health: () => orUnavailable(cluster.health),
    scaling: () => orUnavailable(scaling.current),
    pause: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(administration.pause(yield* CurrentUser, params.worker_id))
    }),
    resume: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(administration.resume(yield* CurrentUser, params.worker_id))
    })
  })
}))
