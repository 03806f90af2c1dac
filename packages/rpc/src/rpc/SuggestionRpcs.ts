/** Suggestions over RPC; see SuggestionsApi. */
import { Rpc, RpcGroup } from "effect/rpc"
import { StartsTask } from "../http/StartsTask.ts"
import { DecisionResult, Decisions, SuggestionPage, SuggestionQuery, SuggestionRequest } from "../http/SuggestionsApi.ts"
import { TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export class SuggestionRpcs extends RpcGroup.make(
  Rpc.make("RequestSuggestions", { payload: SuggestionRequest, success: TaskAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ListSuggestions", { payload: SuggestionQuery, success: SuggestionPage, error }),
  Rpc.make("DecideSuggestions", { payload: Decisions, success: DecisionResult, error })
).middleware(RpcAuthorization) {}
