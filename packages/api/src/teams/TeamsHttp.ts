/** `/v1/teams` and `/v1/invitations`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { created, seenIn, shown, shownUnlessKnown } from "../http/EntityTag.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Invitations } from "./Invitations.ts"
import { Teams } from "./Teams.ts"

export const TeamsHttp = HttpApiBuilder.group(EngLogApi, "teams", Effect.fn(function*(handlers) {
  const teams = yield* Teams
  const invitations = yield* Invitations
  return handlers.handleAll({
    create: Effect.fnUntraced(function*({ payload }) {
      const team = yield* orUnavailable(teams.create(yield* CurrentUser, payload))
      return created(team, `/v1/teams/${team.id}`)
    }),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(teams.list(user, query))),
    get: ({ headers, params }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(teams.get(user, params.id)), (team) => shownUnlessKnown(team, headers))),
    update: ({ headers, params, payload }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(teams.update(user, params.id, payload, seenIn(headers))), shown)),
    remove: ({ headers, params }) => CurrentUser.use((user) => orUnavailable(teams.remove(user, params.id, seenIn(headers)))),
    members: ({ params, query }) => CurrentUser.use((user) => orUnavailable(teams.members(user, params.id, query))),
    member: ({ headers, params }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(teams.member(user, params.id, params.user_id)), (member) => shownUnlessKnown(member, headers))),
    setRole: ({ headers, params, payload }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(teams.setRole(user, params.id, params.user_id, payload.role, seenIn(headers))), shown)),
    removeMember: ({ headers, params }) =>
      CurrentUser.use((user) => orUnavailable(teams.removeMember(user, params.id, params.user_id, seenIn(headers)))),
    invite: ({ params, payload }) => CurrentUser.use((user) => orUnavailable(invitations.create(user, params.id, payload))),
    invitations: ({ params, query }) => CurrentUser.use((user) => orUnavailable(invitations.list(user, params.id, query))),
    withdraw: ({ params }) => CurrentUser.use((user) => orUnavailable(invitations.withdraw(user, params.id, params.invitation_id))),
    accept: ({ payload }) => CurrentUser.use((user) => orUnavailable(invitations.accept(user, payload.token))),
    decline: ({ payload }) => CurrentUser.use((user) => orUnavailable(invitations.decline(user, payload.token))),
    entries: ({ params, query }) => CurrentUser.use((user) => orUnavailable(teams.entries(user, params.id, query))),
    stats: ({ params, query }) => CurrentUser.use((user) => orUnavailable(teams.stats(user, params.id, query)))
  })
}))
