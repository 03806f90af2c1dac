/**
 * `/v1/logs`.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { Entries } from "./Entries.ts"

export const EntriesHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "entries", Effect.fn(function*(handlers) {
    const entries = yield* Entries
    return handlers.handleAll({
      create: Effect.fn(function*({ payload }) {
        const user = yield* CurrentUser
        const body = yield* entries.create(user.id, payload)
        return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/logs/${body.id}` } })
      }),
      list: ({ query }) => Effect.flatMap(CurrentUser, (user) => entries.list(user, query)),
      get: ({ params }) => Effect.flatMap(CurrentUser, (user) => entries.get(user.id, params.id)),
      update: ({ params, payload }) => Effect.flatMap(CurrentUser, (user) => entries.update(user.id, params.id, payload)),
      remove: ({ params }) => Effect.flatMap(CurrentUser, (user) => entries.remove(user.id, params.id))
    })
  }))
} as const
