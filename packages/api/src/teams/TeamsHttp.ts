/** `/v1/teams` and `/v1/invitations`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Invitations } from "./Invitations.ts"
import { Teams } from "./Teams.ts"

export const TeamsHttp = HttpApiBuilder.group(EngLogApi, "teams", Effect.fn(function*(handlers) {
  const teams = yield* Teams
  const invitations = yield* Invitations
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const body = yield* orUnavailable(teams.create(yield* CurrentUser, payload))
      return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/teams/${body.id}` } })
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(teams.list(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(teams.get(user, params.id))),
    update: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(teams.update(user, params.id, payload))),
    remove: ({ params }) => CurrentUser.use((user) => orUnavailable(teams.remove(user, params.id))),
    members: ({ params, query }) => CurrentUser.use((user) => orUnavailable(teams.members(user, params.id, query))),
    setRole: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(teams.setRole(user, params.id, params.user_id, payload.role))),
    removeMember: ({ params }) => CurrentUser.use((user) => orUnavailable(teams.removeMember(user, params.id, params.user_id))),
    invite: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(invitations.create(user, params.id, payload))),
    invitations: ({ params, query }) => CurrentUser.use((user) => orUnavailable(invitations.list(user, params.id, query))),
    withdraw: ({ params }) => CurrentUser.use((user) => orUnavailable(invitations.withdraw(user, params.id, params.invitation_id))),
    accept: ({ payload }) => CurrentUser.use((user) => orUnavailable(invitations.accept(user, payload.token))),
    decline: ({ payload }) => CurrentUser.use((user) => orUnavailable(invitations.decline(user, payload.token))),
    entries: ({ params, query }) => CurrentUser.use((user) => orUnavailable(teams.entries(user, params.id, query))),
    stats: ({ params, query }) => CurrentUser.use((user) => orUnavailable(teams.stats(user, params.id, query)))
  })
}))
