/**
 * People who work together: an organization that is nobody's personal one. What a role may do stands here.
 */
import { Schema } from "effect"
import { ActivityType, ImpactLevel, ValueRating } from "../entries/LogEntry.ts"
import { EntryId, InvitationId, OrganizationId, ProjectId, UserId } from "../Ids.ts"

/** A member sees the team; a lead besides steers its projects; an admin besides its members and the team itself. */
export const TeamRole = Schema.Literals(["member", "lead", "admin"])
export type TeamRole = typeof TeamRole.Type

export const steersProjects = (role: TeamRole): boolean => role !== "member"

export class Team extends Schema.Class<Team>("Team")({
  id: OrganizationId,
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  /** The caller's. */
  role: TeamRole,
  member_count: Schema.Int,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}

export class TeamMember extends Schema.Class<TeamMember>("TeamMember")({
  user_id: UserId,
  first_name: Schema.String,
  last_name: Schema.String,
  email: Schema.String,
  role: TeamRole,
  joined_at: Schema.DateTimeUtcFromString,
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}

/** One that is still open: accepted, withdrawn and expired ones are gone. */
export class TeamInvitation extends Schema.Class<TeamInvitation>("TeamInvitation")({
  id: InvitationId,
  team_id: OrganizationId,
  email: Schema.String,
  role: TeamRole,
  /** Null once that account is gone. */
  invited_by: Schema.NullOr(UserId),
  created_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.DateTimeUtcFromString
}) {}

/** An entry as its author shares it: without its description. */
export class SharedEntry extends Schema.Class<SharedEntry>("SharedEntry")({
  id: EntryId,
  user_id: UserId,
  project_id: ProjectId,
  title: Schema.String,
  type: ActivityType,
  tags: Schema.Array(Schema.String),
  start_time: Schema.DateTimeUtcFromString,
  end_time: Schema.DateTimeUtcFromString,
  duration_minutes: Schema.Int,
  value_rating: ValueRating,
  impact_level: ImpactLevel
}) {}

const sums = { entries: Schema.Int, minutes: Schema.Int, hours: Schema.Finite }

/** Of what members share, at whatever level; most minutes first. Hours are minutes / 60, rounded to two decimals. */
export class TeamStats extends Schema.Class<TeamStats>("TeamStats")({
  team_id: OrganizationId,
  ...sums,
  by_member: Schema.Array(Schema.Struct({ user_id: UserId, ...sums })),
  by_project: Schema.Array(Schema.Struct({ project_id: ProjectId, ...sums })),
  by_type: Schema.Array(Schema.Struct({ type: ActivityType, ...sums }))
}) {}
