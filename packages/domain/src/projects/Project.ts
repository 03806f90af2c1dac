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
  /** `#rrggbb`, in lower case. */
  color: Schema.NullOr(Schema.String),
  start_date: Schema.NullOr(Schema.String),
  end_date: Schema.NullOr(Schema.String),
  /** The organization again where it is a team; null for one's own project. */
  team_id: Schema.NullOr(OrganizationId),
  /** The caller's: an entry recorded without a project goes there. */
  is_default: Schema.Boolean,
  archived_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Null where that account has gone, and the project is a team's. */
  created_by: Schema.NullOr(UserId),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}
