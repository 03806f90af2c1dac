/**
 * What somebody wants to reach within a period: so many hours or entries, of some types, tags and projects or of all. Days are
 * local days of the user, both inclusive; an entry counts whole in the day in which it starts.
 */
import { Schema } from "effect"
import { ActivityType } from "../entries/LogEntry.ts"
import { GoalId, ProjectId, UserId } from "../Ids.ts"

export const GoalMeasure = Schema.Literals(["hours", "entries"])
export type GoalMeasure = typeof GoalMeasure.Type

/** `missed`: the period is over and the target was not reached. */
export const GoalStatus = Schema.Literals(["upcoming", "active", "achieved", "missed"])
export type GoalStatus = typeof GoalStatus.Type

export const Progress = Schema.Struct({
  /** In hours (minutes / 60, two decimals) or entries, as the goal is measured. */
  value: Schema.Finite,
  remaining: Schema.Finite,
  /** Of the target, rounded down to one decimal; beyond 100 where more was done. */
  percent: Schema.Finite,
  /** Target × days begun / days of the period. */
  expected: Schema.Finite,
  on_track: Schema.Boolean,
  status: GoalStatus
}).annotate({ identifier: "Progress" })
export type Progress = typeof Progress.Type

export class Goal extends Schema.Class<Goal>("Goal")({
  id: GoalId,
  user_id: UserId,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  measure: GoalMeasure,
  target: Schema.Finite,
  start_date: Schema.String,
  end_date: Schema.String,
  /** Entries of one of these types count; null: of any. */
  activity_types: Schema.NullOr(Schema.Array(ActivityType)),
  /** Entries with one of these tags count; null: with any or none. Empty once the tags are gone: none counts. */
  tags: Schema.NullOr(Schema.Array(Schema.String)),
  /** Likewise. */
  project_ids: Schema.NullOr(Schema.Array(ProjectId)),
  progress: Progress,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}

/** What a goal's entries of one week came to, and all until its end. */
export const GoalWeek = Schema.Struct({
  /** First and last local day: an ISO week, cut off where the goal begins and ends. */
  start_date: Schema.String,
  end_date: Schema.String,
  value: Schema.Finite,
  cumulative: Schema.Finite,
  percent: Schema.Finite
}).annotate({ identifier: "GoalWeek" })
export type GoalWeek = typeof GoalWeek.Type
