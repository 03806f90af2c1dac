/** `/v1/tags`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Tags } from "./Tags.ts"

export const TagsHttp = HttpApiBuilder.group(EngLogApi, "tags", Effect.fn(function*(handlers) {
  const tags = yield* Tags
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const body = yield* orUnavailable(tags.create(yield* CurrentUser, payload))
      return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/tags/${body.id}` } })
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(tags.list(user, query))),
    popular: ({ query }) => CurrentUser.use((user) => orUnavailable(tags.popular(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(tags.get(user, params.id))),
    update: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(tags.update(user, params.id, payload))),
    remove: ({ params }) => CurrentUser.use((user) => orUnavailable(tags.remove(user, params.id))),
    merge: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(tags.merge(user, params.id, payload.into)))
  })
}))
