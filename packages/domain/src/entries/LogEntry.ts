/**
 * What an engineer recorded: one activity with its time, kind, value and impact (seed 004, "Log Entry Model").
 */
import { type DateTime, Schema } from "effect"
import { EntryId, ProjectId, UserId } from "../Ids.ts"

export const ActivityType = Schema.Literals([
  "meeting", "code", "debug", "docs", "mentoring", "review", "planning", "learning", "ops", "admin"
])
export type ActivityType = typeof ActivityType.Type

export const ValueRating = Schema.Literals(["low", "medium", "high"])
export type ValueRating = typeof ValueRating.Type

export const ImpactLevel = Schema.Literals(["personal", "team", "product", "company"])
export type ImpactLevel = typeof ImpactLevel.Type

/**
 * An entry as it is stored; instants are UTC, `duration_minutes` is computed by the database. A running entry has neither
 * end nor duration yet. `etag` changes with whatever else is shown here.
 */
export class LogEntry extends Schema.Class<LogEntry>("LogEntry")({
  id: EntryId,
  user_id: UserId,
  project_id: Schema.NullOr(ProjectId),
  project_name: Schema.NullOr(Schema.String),
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  tags: Schema.Array(Schema.String),
  start_time: Schema.DateTimeUtcFromString,
  end_time: Schema.NullOr(Schema.DateTimeUtcFromString),
  duration_minutes: Schema.NullOr(Schema.Int),
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  /** The system it was imported from, and what it is called there; null where somebody recorded it. */
  source: Schema.NullOr(Schema.String),
  source_id: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  etag: Schema.String
}) {}

/** One that has ended: what counts, in facts and statistics. */
export interface FinishedEntry extends LogEntry {
  readonly end_time: DateTime.Utc
  readonly duration_minutes: number
}

export const isFinished = (entry: LogEntry): entry is FinishedEntry => entry.end_time !== null && entry.duration_minutes !== null
