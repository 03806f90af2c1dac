/** `/v1/goals`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { created, seenIn, shown, shownUnlessKnown } from "../http/EntityTag.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Goals } from "./Goals.ts"

export const GoalsHttp = HttpApiBuilder.group(EngLogApi, "goals", Effect.fn(function*(handlers) {
  const goals = yield* Goals
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const goal = yield* orUnavailable(goals.create(yield* CurrentUser, payload))
      return created(goal, `/v1/goals/${goal.id}`)
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(goals.list(user, query))),
    get: ({ headers, params }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(goals.get(user, params.id)), (goal) => shownUnlessKnown(goal, headers))),
    update: ({ headers, params, payload }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(goals.update(user, params.id, payload, seenIn(headers))), shown)),
    remove: ({ headers, params }) => CurrentUser.use((user) => orUnavailable(goals.remove(user, params.id, seenIn(headers)))),
    history: ({ params }) => CurrentUser.use((user) => orUnavailable(goals.history(user, params.id)))
  })
}))
