/** REST of recurring tasks: see SchedulesApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Schedules } from "./Schedules.ts"

export const SchedulesHttp = HttpApiBuilder.group(EngLogApi, "schedules", Effect.fn(function*(handlers) {
  const schedules = yield* Schedules
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const body = yield* orUnavailable(schedules.create(yield* CurrentUser, payload))
      return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/schedules/${body.id}` } })
    }),
    list: Effect.fnUntraced(function*({ query }) {
      return yield* orUnavailable(schedules.list(yield* CurrentUser, query))
    }),
    get: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(schedules.get(yield* CurrentUser, params.id))
    }),
    update: Effect.fnUntraced(function*({ params, payload }) {
      return yield* orUnavailable(schedules.update(yield* CurrentUser, params.id, payload))
    }),
    remove: Effect.fnUntraced(function*({ params }) {
      yield* orUnavailable(schedules.remove(yield* CurrentUser, params.id))
    }),
    pause: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(schedules.setPaused(yield* CurrentUser, params.id, true))
    }),
    resume: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(schedules.setPaused(yield* CurrentUser, params.id, false))
    }),
    run: Effect.fnUntraced(function*({ params }) {
      return { task_id: yield* orUnavailable(schedules.run(yield* CurrentUser, params.id)), message: QUEUED }
    })
  })
}))

export const QUEUED = "Task queued successfully"
