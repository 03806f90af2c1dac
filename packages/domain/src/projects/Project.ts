/**
 * What entries are recorded for (seed 004, "Project Model"). Days are local days, YYYY-MM-DD.
 */
import { Schema } from "effect"
import { OrganizationId, ProjectId, UserId } from "../Ids.ts"

export const ProjectStatus = Schema.Literals(["active", "completed", "on_hold", "cancelled"])
export type ProjectStatus = typeof ProjectStatus.Type

export class Project extends Schema.Class<Project>("Project")({
  id: ProjectId,
  organization_id: OrganizationId,
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  status: ProjectStatus,
  start_date: Schema.NullOr(Schema.String),
  end_date: Schema.NullOr(Schema.String),
  team_id: Schema.Null,
  created_by: UserId,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}
