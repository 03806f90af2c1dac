/** `/v1/goals`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Goals } from "./Goals.ts"

export const GoalsHttp = HttpApiBuilder.group(EngLogApi, "goals", Effect.fn(function*(handlers) {
  const goals = yield* Goals
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const body = yield* orUnavailable(goals.create(yield* CurrentUser, payload))
      return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/goals/${body.id}` } })
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(goals.list(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(goals.get(user, params.id))),
    update: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(goals.update(user, params.id, payload))),
    remove: ({ params }) => CurrentUser.use((user) => orUnavailable(goals.remove(user, params.id))),
    history: ({ params }) => CurrentUser.use((user) => orUnavailable(goals.history(user, params.id)))
  })
}))
