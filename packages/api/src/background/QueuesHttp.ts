/** REST of queues and of the health of background tasks: see QueuesApi and BackgroundHealthApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { ClusterStatus } from "../cluster/ClusterStatus.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { QueueAdministration } from "./QueueAdministration.ts"

export const QueuesHttp = HttpApiBuilder.group(EngLogApi, "queues", Effect.fn(function*(handlers) {
  const queues = yield* QueueAdministration
  return handlers.handleAll({
    stats: Effect.fnUntraced(function*() {
      return yield* orUnavailable(queues.stats(yield* CurrentUser))
    }),
    cleanup: Effect.fnUntraced(function*({ query }) {
      return yield* orUnavailable(queues.cleanUp(yield* CurrentUser, query))
    }),
    pause: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(queues.pause(yield* CurrentUser, params.queue))
    }),
    resume: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(queues.resume(yield* CurrentUser, params.queue))
    }),
    limit: Effect.fnUntraced(function*({ params, payload }) {
      return yield* orUnavailable(queues.limit(yield* CurrentUser, params.queue, payload.max_running))
    }),
    weights: Effect.fnUntraced(function*({ query }) {
      return yield* orUnavailable(queues.weights(yield* CurrentUser, query))
    }),
    weigh: Effect.fnUntraced(function*({ params, payload }) {
      return yield* orUnavailable(queues.weigh(yield* CurrentUser, params.organization_id, payload.weight))
    })
  })
}))

export const BackgroundHealthHttp = HttpApiBuilder.group(EngLogApi, "backgroundHealth", Effect.fn(function*(handlers) {
  const cluster = yield* ClusterStatus
  return handlers.handleAll({ health: () => orUnavailable(cluster.health) })
}))
