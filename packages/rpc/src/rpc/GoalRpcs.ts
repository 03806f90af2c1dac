/** Goals over RPC; see GoalsApi. */
import { Goal } from "@englog/domain/goals/Goal"
import { GoalId } from "@englog/domain/Ids"
import { Rpc, RpcGroup } from "effect/rpc"
import { GoalHistory, GoalPage, GoalPayload, GoalQuery } from "../http/GoalsApi.ts"
import { ifMatch } from "./IfMatch.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: GoalId }

export class GoalRpcs extends RpcGroup.make(
  Rpc.make("CreateGoal", { payload: GoalPayload, success: Goal, error }),
  Rpc.make("ListGoals", { payload: GoalQuery, success: GoalPage, error }),
  Rpc.make("GetGoal", { payload: id, success: Goal, error }),
  Rpc.make("UpdateGoal", { payload: { ...id, goal: GoalPayload, ...ifMatch }, success: Goal, error }),
  Rpc.make("DeleteGoal", { payload: { ...id, ...ifMatch }, error }),
  Rpc.make("GetGoalHistory", { payload: id, success: GoalHistory, error })
).middleware(RpcAuthorization) {}
