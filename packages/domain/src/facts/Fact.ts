/**
 * A fact is one figure that code computed from entries. It has an id that is stable for the same question (so a model can
 * refer to it and anybody can verify it later), the number itself, the text that states it, and the entries it stands on.
 */
import { Schema } from "effect"
import { ActivityType } from "../entries/LogEntry.ts"
import { EntryId } from "../Ids.ts"

/** Dotted lower-case path, e.g. `total.time`, `type.code.share`, `metric.focus_time_percentage`. */
export const FactId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[a-z0-9_]+(\.[a-z0-9_-]+)*$/)),
  Schema.brand("FactId")
)
export type FactId = typeof FactId.Type

/**
 * `minutes` and `hours` are durations; `percent` is 0..100 (a change may exceed it or be negative); `count` is a whole
 * number; `hour` is an hour of the day, 0..23, in the user's zone; `date` is days since 1970-01-01 in the user's zone;
 * `weekday` is ISO, 1 = Monday … 7 = Sunday; `score` is 0..100.
 */
export const FactUnit = Schema.Literals(["minutes", "hours", "percent", "count", "hour", "date", "weekday", "score"])
export type FactUnit = typeof FactUnit.Type

export class Fact extends Schema.Class<Fact>("Fact")({
  id: FactId,
  /** What the figure says, in words without figures: "Time in code". Project names and titles may appear in it. */
  label: Schema.String,
  value: Schema.Finite,
  unit: FactUnit,
  /** The figure as it is printed: "12 h 30 min", "41.7 %", "14:00–15:00", "Tuesday". */
  text: Schema.String,
  entry_ids: Schema.Array(EntryId)
}) {}

/** The nine metrics of seed 004 as product.md defines them; hours, hours of the day, weekday name, percentages 0..100. */
export class ProductivityMetrics extends Schema.Class<ProductivityMetrics>("ProductivityMetrics")({
  average_daily_hours: Schema.Finite,
  peak_productivity_hour: Schema.Int,
  most_productive_day: Schema.String,
  activity_efficiency_score: Schema.Finite,
  focus_time_percentage: Schema.Finite,
  collaboration_ratio: Schema.Finite,
  high_value_percentage: Schema.Finite,
  company_impact_ratio: Schema.Finite,
  value_impact_score: Schema.Finite
}) {}

/** An entry as far as a narrator may see and cite it. */
export class FactEntry extends Schema.Class<FactEntry>("FactEntry")({
  id: EntryId,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  project_name: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String),
  start_time: Schema.DateTimeUtcFromString,
  end_time: Schema.DateTimeUtcFromString,
  duration_minutes: Schema.Int,
  value_rating: Schema.Literals(["low", "medium", "high"]),
  impact_level: Schema.Literals(["personal", "team", "product", "company"])
}) {}

/** All facts about one set of entries. `metrics` is null when there are no entries. */
export class FactSheet extends Schema.Class<FactSheet>("FactSheet")({
  /** First and last local day covered, YYYY-MM-DD, both inclusive. */
  period_start: Schema.String,
  period_end: Schema.String,
  /** IANA zone that decides what a day and an hour mean. */
  timezone: Schema.String,
  facts: Schema.Array(Fact),
  metrics: Schema.NullOr(ProductivityMetrics)
}) {}
