/** RPC of suggestions: see SuggestionRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { SuggestionRpcs } from "@englog/rpc/rpc/SuggestionRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Suggestions } from "./Suggestions.ts"

export const SuggestionRpcsLive = SuggestionRpcs.toLayer(Effect.gen(function*() {
  const suggestions = yield* Suggestions
  return SuggestionRpcs.of({
    RequestSuggestions: (request) => CurrentUser.use((user) => orRpcFailure(suggestions.request(user, request))),
    ListSuggestions: (query) => CurrentUser.use((user) => orRpcFailure(suggestions.list(user, query))),
    DecideSuggestions: (decisions) => CurrentUser.use((user) => orRpcFailure(suggestions.decide(user, decisions)))
  })
}))
