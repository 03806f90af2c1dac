/**
 * Teams: people who share projects, and of their entries what each of them chooses to.
 */
import { ActivityType } from "@englog/domain/entries/LogEntry"
import { InvitationId, OrganizationId, ProjectId, UserId } from "@englog/domain/Ids"
import { SharedEntry, Team, TeamInvitation, TeamMember, TeamRole, TeamStats } from "@englog/domain/teams/Team"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Email } from "./AuthApi.ts"
import { Authorization } from "./Authorization.ts"
import { createdWithEtagHeader, ifMatch, ifNoneMatch, unlessKnown, withEtagHeader } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import * as Example from "./TeamExamples.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** Members and open invitations of one team; teams that one user belongs to. */
export const MAX_MEMBERS = 1_000
export const MAX_INVITATIONS = 200
export const MAX_TEAMS = 100

export const TeamPayload = Schema.Struct({
  name: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  id: ignored,
  role: ignored,
  member_count: ignored,
  created_at: ignored,
  updated_at: ignored,
  etag: ignored
}).annotate({ identifier: "TeamPayload" })
export type TeamPayload = typeof TeamPayload.Type

export const RolePayload = Schema.Struct({
  role: TeamRole,
  user_id: ignored,
  first_name: ignored,
  last_name: ignored,
  email: ignored,
  joined_at: ignored,
  etag: ignored
}).annotate({ identifier: "RolePayload" })

export const InvitationPayload = Schema.Struct({
  email: Email,
  role: TeamRole.annotate({ default: "member" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("member" as const)))
}).annotate({ identifier: "InvitationPayload" })
export type InvitationPayload = typeof InvitationPayload.Type

/** The only answer that has the token: it is stored as a hash. */
export class NewInvitation extends Schema.Class<NewInvitation>("NewInvitation")({
  ...TeamInvitation.fields,
  token: Schema.String,
  /** Where the token is to be posted as `{token}`, from the account with the invited address. */
  accept_path: Schema.String
}) {}

export const InvitationToken = Schema.Struct({ token: PlainText({ min: 1, max: 200 }) }).annotate({ identifier: "InvitationToken" })

export const TeamPage = Page(Team).annotate({ identifier: "TeamPage" })
export const TeamMemberPage = Page(TeamMember).annotate({ identifier: "TeamMemberPage" })
export const TeamInvitationPage = Page(TeamInvitation).annotate({ identifier: "TeamInvitationPage" })
export const SharedEntryPage = Page(SharedEntry).annotate({ identifier: "SharedEntryPage" })

export const TeamsQuery = Schema.Struct(pageQuery)
export type TeamsQuery = typeof TeamsQuery.Type

/** Days are local days of each entry's author, both inclusive. */
const view = {
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate),
  user_id: Schema.optionalKey(UserId),
  project_id: Schema.optionalKey(ProjectId),
  type: Schema.optionalKey(ActivityType)
}
export const TeamStatsQuery = Schema.Struct(view).check(inOrder("start_date", "end_date"))
export type TeamStatsQuery = typeof TeamStatsQuery.Type
export const TeamEntriesQuery = Schema.Struct({ ...view, ...pageQuery }).check(inOrder("start_date", "end_date"))
export type TeamEntriesQuery = typeof TeamEntriesQuery.Type

const params = { id: OrganizationId }
const member = { ...params, user_id: UserId }
const response = examples({ response: Example.team })
const days = "Days are local days of each entry's author, both inclusive."

export class TeamsApi extends HttpApiGroup.make("teams").add(
  HttpApiEndpoint.post("create", "/v1/teams", {
    payload: TeamPayload,
    success: createdWithEtagHeader(Team),
    error: Conflict
    // Not the invitations: what is kept for a key must hold no secret, and a second invitation replaces the first anyway.
  }).middleware(Idempotent).annotateMerge(OpenApi.annotations({
    summary: "Create a team; you are its first admin",
    description: `You can belong to ${MAX_TEAMS} teams; a team has ${MAX_MEMBERS} members and ${MAX_INVITATIONS} open invitations at most.`,
    transform: examples({ request: Example.request, response: Example.team })
  })),
  HttpApiEndpoint.get("list", "/v1/teams", { query: TeamsQuery, success: TeamPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List the teams that you belong to, newest first",
      description: "With your role in each, and how many members it has.",
      transform: examples({ response: { items: [Example.team], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/teams/:id", { params, headers: ifNoneMatch, success: unlessKnown(Team), error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read a team",
      description: "404 unless you are a member.",
      transform: response
    })),
  HttpApiEndpoint.put("update", "/v1/teams/:id", {
    params,
    headers: ifMatch,
    payload: TeamPayload,
    success: withEtagHeader(Team),
    error: [Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace a team's name and description, as its admin",
    description: "What is left out takes its default.",
    transform: examples({ request: Example.request, response: Example.team })
  })),
  HttpApiEndpoint.delete("remove", "/v1/teams/:id", {
    params,
    headers: ifMatch,
    success: HttpApiSchema.NoContent,
    error: [Conflict, Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Delete a team, as its last member",
    description: "Its projects become your own, and everybody's entries stay. The tasks, insights and schedules that were made in its name go with it."
  })),
  HttpApiEndpoint.get("members", "/v1/teams/:id/members", { params, query: TeamsQuery, success: TeamMemberPage, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "List a team's members, in the order in which they joined",
      description: "With their roles, for every member to see.",
      transform: examples({ response: { items: [Example.member], next_cursor: null } })
    })),
  HttpApiEndpoint.get("member", "/v1/teams/:id/members/:user_id", { params: member, headers: ifNoneMatch, success: unlessKnown(TeamMember), error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read a member of a team",
      description: "For every member to see.",
      transform: examples({ response: Example.member })
    })),
  HttpApiEndpoint.put("setRole", "/v1/teams/:id/members/:user_id", {
    params: member,
    headers: ifMatch,
    payload: RolePayload,
    success: withEtagHeader(TeamMember),
    error: [Conflict, Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Give a member another role, as an admin",
    description: "A member sees the team, its members, its projects and what is shared; a lead besides steers its projects; an admin besides its members and itself. The last admin stays one.",
    transform: examples({ request: { role: "lead" }, response: Example.member })
  })),
  HttpApiEndpoint.delete("removeMember", "/v1/teams/:id/members/:user_id", {
    params: member,
    headers: ifMatch,
    success: HttpApiSchema.NoContent,
    error: [Conflict, Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Leave a team, or remove a member as an admin",
    description: "Nothing of theirs is shared with the team any more; their entries stay theirs. The last admin cannot leave."
  })),
  HttpApiEndpoint.post("invite", "/v1/teams/:id/invitations", {
    params,
    payload: InvitationPayload,
    success: NewInvitation.pipe(HttpApiSchema.status(201)),
    error: [Conflict, Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Invite somebody by their e-mail address, as an admin",
    description: "Answers the token once; it works once, for seven days, from an account with that address. A second invitation of the same address replaces the first.",
    transform: examples({ request: { email: Example.member.email, role: "member" }, response: Example.newInvitation })
  })),
  HttpApiEndpoint.get("invitations", "/v1/teams/:id/invitations", {
    params,
    query: TeamsQuery,
    success: TeamInvitationPage,
    error: [Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "List a team's open invitations, newest first, as an admin",
    description: "Those that were neither used nor withdrawn and have not expired; without their tokens.",
    transform: examples({ response: { items: [Example.invitation], next_cursor: null } })
  })),
  HttpApiEndpoint.delete("withdraw", "/v1/teams/:id/invitations/:invitation_id", {
    params: { ...params, invitation_id: InvitationId },
    success: HttpApiSchema.NoContent,
    error: [Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Withdraw an invitation, as an admin",
    description: "Its token works no more."
  })),
  HttpApiEndpoint.post("accept", "/v1/invitations/accept", { payload: InvitationToken, success: Team, error: [Conflict, Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Join the team that you were invited to",
      description: "Its members see your name and address; of your entries nothing, unless you share them.",
      transform: examples({ request: { token: Example.newInvitation.token }, response: Example.team })
    })),
  HttpApiEndpoint.post("decline", "/v1/invitations/decline", { payload: InvitationToken, success: HttpApiSchema.NoContent, error: [Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Decline an invitation",
      description: "Its token works no more; the team is not told who declined.",
      transform: examples({ request: { token: Example.newInvitation.token } })
    })),
  HttpApiEndpoint.get("entries", "/v1/teams/:id/entries", { params, query: TeamEntriesQuery, success: SharedEntryPage, error: [BadRequest, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Entries that members share with the team, newest first",
      description: `Of those who share at the level \`entries\`, without descriptions. ${days}`,
      transform: examples({ response: { items: [Example.entry], next_cursor: null } })
    })),
  HttpApiEndpoint.get("stats", "/v1/teams/:id/stats", { params, query: TeamStatsQuery, success: TeamStats, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Figures of what members share with the team",
      description: `At the level \`figures\` or \`entries\`; yours too only if you share them. ${days}`,
      transform: examples({ response: Example.stats })
    }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Teams",
  description: "People who share projects, and of their entries what each of them chooses to."
})) {}
