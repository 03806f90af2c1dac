/** REST of nightly jobs: see JobsApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Jobs } from "../replicas/Jobs.ts"

export const JobsHttp = HttpApiBuilder.group(EngLogApi, "jobs", Effect.fn(function*(handlers) {
  const jobs = yield* Jobs
  return handlers.handleAll({
    list: Effect.fnUntraced(function*() {
      return { items: yield* orUnavailable(jobs.list(yield* CurrentUser)), next_cursor: null }
    }),
    run: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(jobs.start(yield* CurrentUser, params.name))
    })
  })
}))
