/**
 * `/v1/projects`.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { created, seenIn, shown, shownUnlessKnown } from "../http/EntityTag.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Projects } from "./Projects.ts"

export const ProjectsHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "projects", Effect.fn(function*(handlers) {
    const projects = yield* Projects
    return handlers.handleAll({
      create: Effect.fn(function*({ payload }) {
        const project = yield* orUnavailable(projects.create(yield* CurrentUser, payload))
        return created(project, `/v1/projects/${project.id}`)
      }),
      list: ({ query }) => CurrentUser.use((user) => orUnavailable(projects.list(user, query))),
      get: ({ headers, params }) =>
        CurrentUser.use((user) => Effect.map(orUnavailable(projects.get(user, params.id)), (project) => shownUnlessKnown(project, headers))),
      update: ({ headers, params, payload }) =>
        CurrentUser.use((user) => Effect.map(orUnavailable(projects.update(user, params.id, payload, seenIn(headers))), shown)),
      remove: ({ headers, params }) => CurrentUser.use((user) => orUnavailable(projects.remove(user, params.id, seenIn(headers)))),
      archive: ({ params }) => CurrentUser.use((user) => Effect.map(orUnavailable(projects.setArchived(user, params.id, true)), shown)),
      unarchive: ({ params }) => CurrentUser.use((user) => Effect.map(orUnavailable(projects.setArchived(user, params.id, false)), shown)),
      makeDefault: ({ headers, params }) =>
        CurrentUser.use((user) => Effect.map(orUnavailable(projects.makeDefault(user, params.id, seenIn(headers))), shown)),
      endDefault: ({ headers, params }) => CurrentUser.use((user) => orUnavailable(projects.endDefault(user, params.id, seenIn(headers)))),
      stats: ({ params, query }) => CurrentUser.use((user) => orUnavailable(projects.stats(user, params.id, query))),
      sharing: ({ headers, params }) =>
        CurrentUser.use((user) => Effect.map(orUnavailable(projects.sharing(user, params.id)), (sharing) => shownUnlessKnown(sharing, headers))),
      share: ({ headers, params, payload }) =>
        CurrentUser.use((user) => Effect.map(orUnavailable(projects.share(user, params.id, payload, seenIn(headers))), shown))
    })
  }))
} as const
