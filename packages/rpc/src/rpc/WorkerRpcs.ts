/** The worker cluster over RPC; see WorkersApi. */
import { WorkerId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { RequiredScope } from "../http/RequiredScope.ts"
import { WorkerIntake, WorkersHealth, WorkersScaling, WorkerView } from "../http/WorkersApi.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const worker = { worker_id: WorkerId }

export class WorkerRpcs extends RpcGroup.make(
  Rpc.make("ListWorkers", { success: Schema.Array(WorkerView), error }),
  Rpc.make("GetWorkersHealth", { success: WorkersHealth, error }),
  Rpc.make("GetWorkersScaling", { success: WorkersScaling, error }),
  Rpc.make("PauseWorker", { payload: worker, success: WorkerIntake, error }).annotate(RequiredScope, "admin"),
  Rpc.make("ResumeWorker", { payload: worker, success: WorkerIntake, error }).annotate(RequiredScope, "admin")
).middleware(RpcAuthorization) {}
