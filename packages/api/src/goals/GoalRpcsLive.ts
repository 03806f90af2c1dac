/** RPC of goals: see GoalRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { GoalRpcs } from "@englog/rpc/rpc/GoalRpcs"
import { Effect } from "effect"
import { seenTag } from "../http/EntityTag.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Goals } from "./Goals.ts"

export const GoalRpcsLive = GoalRpcs.toLayer(Effect.gen(function*() {
  const goals = yield* Goals
  return GoalRpcs.of({
    CreateGoal: (goal) => CurrentUser.use((user) => orRpcFailure(goals.create(user, goal))),
    ListGoals: (query) => CurrentUser.use((user) => orRpcFailure(goals.list(user, query))),
    GetGoal: ({ id }) => CurrentUser.use((user) => orRpcFailure(goals.get(user, id))),
    UpdateGoal: ({ goal, id, if_match }) => CurrentUser.use((user) => orRpcFailure(goals.update(user, id, goal, seenTag(if_match)))),
    DeleteGoal: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(goals.remove(user, id, seenTag(if_match)))),
    GetGoalHistory: ({ id }) => CurrentUser.use((user) => orRpcFailure(goals.history(user, id)))
  })
}))
