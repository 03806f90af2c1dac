/** RPC of teams: see TeamRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { TeamRpcs } from "@englog/rpc/rpc/TeamRpcs"
import { Effect } from "effect"
import { seenTag } from "../http/EntityTag.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Invitations } from "./Invitations.ts"
import { Teams } from "./Teams.ts"

export const TeamRpcsLive = TeamRpcs.toLayer(Effect.gen(function*() {
  const teams = yield* Teams
  const invitations = yield* Invitations
  return TeamRpcs.of({
    CreateTeam: (team) => CurrentUser.use((user) => orRpcFailure(teams.create(user, team))),
    ListTeams: (page) => CurrentUser.use((user) => orRpcFailure(teams.list(user, page))),
    GetTeam: ({ id }) => CurrentUser.use((user) => orRpcFailure(teams.get(user, id))),
    UpdateTeam: ({ id, if_match, team }) => CurrentUser.use((user) => orRpcFailure(teams.update(user, id, team, seenTag(if_match)))),
    DeleteTeam: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(teams.remove(user, id, seenTag(if_match)))),
    ListTeamMembers: ({ id, page }) => CurrentUser.use((user) => orRpcFailure(teams.members(user, id, page))),
    GetTeamMember: ({ id, user_id }) => CurrentUser.use((user) => orRpcFailure(teams.member(user, id, user_id))),
    SetTeamRole: ({ id, if_match, role, user_id }) => CurrentUser.use((user) => orRpcFailure(teams.setRole(user, id, user_id, role, seenTag(if_match)))),
    RemoveTeamMember: ({ id, if_match, user_id }) => CurrentUser.use((user) => orRpcFailure(teams.removeMember(user, id, user_id, seenTag(if_match)))),
    InviteToTeam: ({ id, invitation }) => CurrentUser.use((user) => orRpcFailure(invitations.create(user, id, invitation))),
    ListTeamInvitations: ({ id, page }) => CurrentUser.use((user) => orRpcFailure(invitations.list(user, id, page))),
    WithdrawInvitation: ({ id, invitation_id }) => CurrentUser.use((user) => orRpcFailure(invitations.withdraw(user, id, invitation_id))),
    AcceptInvitation: ({ token }) => CurrentUser.use((user) => orRpcFailure(invitations.accept(user, token))),
    DeclineInvitation: ({ token }) => CurrentUser.use((user) => orRpcFailure(invitations.decline(user, token))),
    ListTeamEntries: ({ id, query }) => CurrentUser.use((user) => orRpcFailure(teams.entries(user, id, query))),
    GetTeamStats: ({ id, query }) => CurrentUser.use((user) => orRpcFailure(teams.stats(user, id, query)))
  })
}))
