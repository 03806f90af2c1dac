/**
 * `/v1/projects`.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Projects } from "./Projects.ts"

export const ProjectsHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "projects", Effect.fn(function*(handlers) {
    const projects = yield* Projects
    return handlers.handleAll({
      create: Effect.fn(function*({ payload }) {
        const body = yield* orUnavailable(projects.create(yield* CurrentUser, payload))
        return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/projects/${body.id}` } })
      }),
      list: ({ query }) => CurrentUser.use((user) => orUnavailable(projects.list(user, query))),
      get: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.get(user, params.id))),
      update: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(projects.update(user, params.id, payload))),
      remove: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.remove(user, params.id))),
      archive: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.setArchived(user, params.id, true))),
      unarchive: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.setArchived(user, params.id, false))),
      makeDefault: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.makeDefault(user, params.id))),
      endDefault: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.endDefault(user, params.id))),
      stats: ({ params, query }) => CurrentUser.use((user) => orUnavailable(projects.stats(user, params.id, query))),
      sharing: ({ params }) => CurrentUser.use((user) => orUnavailable(projects.sharing(user, params.id))),
      share: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(projects.share(user, params.id, payload)))
    })
  }))
} as const
