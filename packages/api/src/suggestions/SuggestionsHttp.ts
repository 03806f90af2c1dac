/** `/v1/suggestions`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Suggestions } from "./Suggestions.ts"

export const SuggestionsHttp = HttpApiBuilder.group(EngLogApi, "suggestions", Effect.fn(function*(handlers) {
  const suggestions = yield* Suggestions
  return handlers.handleAll({
    request: ({ payload }) => CurrentUser.use((user) => orUnavailable(suggestions.request(user, payload))),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(suggestions.list(user, query))),
    decide: ({ payload }) => CurrentUser.use((user) => orUnavailable(suggestions.decide(user, payload)))
  })
}))
