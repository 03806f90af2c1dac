/** The worker cluster over RPC; see WorkersApi. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { WorkersHealth, WorkersScaling, WorkerView } from "../http/WorkersApi.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export class WorkerRpcs extends RpcGroup.make(
  Rpc.make("ListWorkers", { success: Schema.Array(WorkerView), error }),
  Rpc.make("GetWorkersHealth", { success: WorkersHealth, error }),
  Rpc.make("GetWorkersScaling", { success: WorkersScaling, error })
).middleware(RpcAuthorization) {}
