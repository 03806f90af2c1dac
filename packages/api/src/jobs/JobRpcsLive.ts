/** RPC of nightly jobs: see JobRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { JobRpcs } from "@englog/rpc/rpc/JobRpcs"
import { Effect } from "effect"
import { Jobs } from "../replicas/Jobs.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"

export const JobRpcsLive = JobRpcs.toLayer(Effect.gen(function*() {
  const jobs = yield* Jobs
  return JobRpcs.of({
    ListJobs: () => orRpcFailure(CurrentUser.use(jobs.list)).pipe(Effect.map((items) => ({ items, next_cursor: null }))),
    RunJob: ({ name }) => CurrentUser.use((user) => orRpcFailure(jobs.start(user, name)))
  })
}))
