/** Teams over RPC; see TeamsApi. */
import { InvitationId, OrganizationId, UserId } from "@englog/domain/Ids"
import { Team, TeamMember, TeamRole, TeamStats } from "@englog/domain/teams/Team"
import { Rpc, RpcGroup } from "effect/rpc"
import {
  InvitationPayload, InvitationToken, NewInvitation, SharedEntryPage, TeamEntriesQuery, TeamInvitationPage, TeamMemberPage, TeamPage,
  TeamPayload, TeamsQuery, TeamStatsQuery
} from "../http/TeamsApi.ts"
import { ifMatch } from "./IfMatch.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: OrganizationId }
const member = { ...id, user_id: UserId }

export class TeamRpcs extends RpcGroup.make(
  Rpc.make("CreateTeam", { payload: TeamPayload, success: Team, error }),
  Rpc.make("ListTeams", { payload: TeamsQuery, success: TeamPage, error }),
  Rpc.make("GetTeam", { payload: id, success: Team, error }),
  Rpc.make("UpdateTeam", { payload: { ...id, team: TeamPayload, ...ifMatch }, success: Team, error }),
  Rpc.make("DeleteTeam", { payload: { ...id, ...ifMatch }, error }),
  Rpc.make("ListTeamMembers", { payload: { ...id, page: TeamsQuery }, success: TeamMemberPage, error }),
  Rpc.make("GetTeamMember", { payload: member, success: TeamMember, error }),
  Rpc.make("SetTeamRole", { payload: { ...member, role: TeamRole, ...ifMatch }, success: TeamMember, error }),
  /** Oneself too, which is leaving. */
  Rpc.make("RemoveTeamMember", { payload: { ...member, ...ifMatch }, error }),
  Rpc.make("InviteToTeam", { payload: { ...id, invitation: InvitationPayload }, success: NewInvitation, error }),
  Rpc.make("ListTeamInvitations", { payload: { ...id, page: TeamsQuery }, success: TeamInvitationPage, error }),
  Rpc.make("WithdrawInvitation", { payload: { ...id, invitation_id: InvitationId }, error }),
  Rpc.make("AcceptInvitation", { payload: InvitationToken, success: Team, error }),
  Rpc.make("DeclineInvitation", { payload: InvitationToken, error }),
  Rpc.make("ListTeamEntries", { payload: { ...id, query: TeamEntriesQuery }, success: SharedEntryPage, error }),
  Rpc.make("GetTeamStats", { payload: { ...id, query: TeamStatsQuery }, success: TeamStats, error })
).middleware(RpcAuthorization) {}
