/**
 * Figures of a project. An entry counts whole, in the local week of its author in which it starts; hours are minutes / 60,
 * rounded to two decimals.
 */
import { Schema } from "effect"
import { ActivityType, ImpactLevel, ValueRating } from "../entries/LogEntry.ts"
import { ProjectId } from "../Ids.ts"

const sums = { entries: Schema.Int, minutes: Schema.Int, hours: Schema.Finite }

export class ProjectStats extends Schema.Class<ProjectStats>("ProjectStats")({
  project_id: ProjectId,
  ...sums,
  /** People whose entries are counted: the caller, and members of the team who share theirs. */
  contributors: Schema.Int,
  first_entry_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  last_entry_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Most minutes first; what has no entries is left out, here and below. */
  by_type: Schema.Array(Schema.Struct({ type: ActivityType, ...sums })),
  by_value: Schema.Array(Schema.Struct({ value_rating: ValueRating, ...sums })),
  by_impact: Schema.Array(Schema.Struct({ impact_level: ImpactLevel, ...sums })),
  /** In order; `week` is the Monday, YYYY-MM-DD. */
  by_week: Schema.Array(Schema.Struct({ week: Schema.String, ...sums }))
}) {}

export const hoursOf = (minutes: number): number => Math.round(minutes / 0.6) / 100
