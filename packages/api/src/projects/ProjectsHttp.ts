/**
 * `/v1/projects`.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { NotFound } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Effect, Option } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { ProjectRepo } from "./ProjectRepo.ts"

export const ProjectsHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "projects", Effect.fn(function*(handlers) {
    const projects = yield* ProjectRepo
    return handlers.handleAll({
      create: Effect.fn(function*({ payload }) {
        const body = yield* orUnavailable(projects.insert(yield* CurrentUser, payload))
        return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/projects/${body.id}` } })
      }),
      list: Effect.fn(function*({ query: { cursor, limit = defaultPageSize } }) {
        const user = yield* CurrentUser
        const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
        const { rows, next_cursor } = toPage(yield* orUnavailable(projects.list(user.id, after, limit + 1)), limit)
        return { items: rows.map(({ project }) => project), next_cursor }
      }),
      get: Effect.fn(function*({ params }) {
        const found = yield* orUnavailable(projects.find((yield* CurrentUser).id, params.id))
        return Option.isSome(found) ? found.value : yield* new NotFound({ error: `you have no project ${params.id}` })
      })
    })
  }))
} as const
