/** Nightly jobs over RPC; see JobsApi. */
import { Rpc, RpcGroup } from "effect/rpc"
import { JobList, JobName, JobView } from "../http/JobsApi.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export const JobRpcs = RpcGroup.make(
  Rpc.make("ListJobs", { success: JobList, error }),
  Rpc.make("RunJob", { payload: { name: JobName }, success: JobView, error })
).annotateRpcs(RequiredScope, "admin").middleware(RpcAuthorization)
