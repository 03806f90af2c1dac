/** `/v1/tags`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { created, seenIn, shown, shownUnlessKnown } from "../http/EntityTag.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Tags } from "./Tags.ts"

export const TagsHttp = HttpApiBuilder.group(EngLogApi, "tags", Effect.fn(function*(handlers) {
  const tags = yield* Tags
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const tag = yield* orUnavailable(tags.create(yield* CurrentUser, payload))
      return created(tag, `/v1/tags/${tag.id}`)
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(tags.list(user, query))),
    popular: ({ query }) => CurrentUser.use((user) => orUnavailable(tags.popular(user, query))),
    get: ({ headers, params }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(tags.get(user, params.id)), (tag) => shownUnlessKnown(tag, headers))),
    update: ({ headers, params, payload }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(tags.update(user, params.id, payload, seenIn(headers))), shown)),
    remove: ({ headers, params }) => CurrentUser.use((user) => orUnavailable(tags.remove(user, params.id, seenIn(headers)))),
    merge: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(tags.merge(user, params.id, payload.into)))
  })
}))
