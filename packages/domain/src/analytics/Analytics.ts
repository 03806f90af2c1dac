/**
 * What analytics answer (seed 004, `/v1/analytics`). Minutes are those of whole entries; an entry belongs to the local day and
 * hour in which it starts; shares are percentages, 0..100, of the period's minutes. Nothing is rounded.
 */
import { Schema } from "effect"
import { ActivityType, ImpactLevel, ValueRating } from "../entries/LogEntry.ts"
import { ProductivityMetrics } from "../facts/Fact.ts"
import { OrganizationId, ProjectId } from "../Ids.ts"
import { DayStatistics } from "./DayStatistics.ts"

/** Local days, `YYYY-MM-DD`, both inclusive, in this IANA zone. */
export const AnalysedPeriod = Schema.Struct({ start_date: Schema.String, end_date: Schema.String, timezone: Schema.String })

const amount = { minutes: Schema.Int, entries: Schema.Int }

/** What one group of entries takes of the period; groups without entries are left out, the largest comes first. */
const share = { ...amount, share: Schema.Finite }

export const TypeShare = Schema.Struct({ type: ActivityType, ...share })
/** Null: entries of no project. */
export const ProjectShare = Schema.Struct({ project_id: Schema.NullOr(ProjectId), project_name: Schema.NullOr(Schema.String), ...share })
export const ValueShare = Schema.Struct({ value_rating: ValueRating, ...share })
export const ImpactShare = Schema.Struct({ impact_level: ImpactLevel, ...share })
/** An entry counts for each of its tags, so that these shares may exceed 100 together. */
export const TagShare = Schema.Struct({ tag: Schema.String, ...share })
/** All 24 of them, from 0. */
export const HourShare = Schema.Struct({ hour: Schema.Int, ...share })
/** All seven of them, from Monday (1). */
export const WeekdayShare = Schema.Struct({ weekday: Schema.Int, ...share })
/** Every day of the period, in order. */
export const DayAmount = Schema.Struct({ date: Schema.String, ...amount })

/** Definition: OutsideWorkingHours. */
const Outside = Schema.NullOr(Schema.Struct({ minutes: Schema.Finite, entries: Schema.Int, share: Schema.Finite }).annotate({
  identifier: "OutsideWorkingHours",
  description: "Minutes while the clock on the wall, in your time zone, showed no time of that weekday's working hours; the minutes of an entry run from its "
    + "start on without a break. `entries`: those that have such minutes; `share`: percent of all minutes."
})).annotate({ description: "Null where your preferences set no working hours." })

export const TimeDistribution = Schema.Struct({
  period: AnalysedPeriod,
  total: Schema.Struct(amount),
  by_type: Schema.Array(TypeShare),
  by_project: Schema.Array(ProjectShare),
  by_tag: Schema.Array(TagShare),
  by_value_rating: Schema.Array(ValueShare),
  by_impact_level: Schema.Array(ImpactShare),
  by_hour: Schema.Array(HourShare),
  by_weekday: Schema.Array(WeekdayShare)
}).annotate({ identifier: "TimeDistribution" })
export type TimeDistribution = typeof TimeDistribution.Type

export const Dashboard = Schema.Struct({
  period: AnalysedPeriod,
  /** `days`: local days on which entries start. */
  total: Schema.Struct({ ...amount, days: Schema.Int }),
  /** The same number of days just before. `change`: of minutes, in percent; null where nothing was recorded then. */
  previous: Schema.Struct({ ...amount, change: Schema.NullOr(Schema.Finite) }),
  /** Null without entries. */
  metrics: Schema.NullOr(ProductivityMetrics),
  outside_working_hours: Outside,
  by_day: Schema.Array(DayAmount),
  by_type: Schema.Array(TypeShare),
  /** At most ten. */
  top_projects: Schema.Array(ProjectShare)
}).annotate({ identifier: "AnalyticsDashboard" })
export type Dashboard = typeof Dashboard.Type

/** One completed ISO week. */
export const WeekTrend = Schema.Struct({
  /** ISO 8601, e.g. `2026-W46`. */
  week: Schema.String,
  start_date: Schema.String,
  end_date: Schema.String,
  ...amount,
  weekly_hours: Schema.Finite,
  code_percentage: Schema.Finite,
  meeting_percentage: Schema.Finite,
  efficiency_score: Schema.Finite,
  metrics: Schema.NullOr(ProductivityMetrics),
  outside_working_hours: Outside
})

export const ProductivityTrends = Schema.Struct({
  timezone: Schema.String,
  /** Oldest first; a week without entries is there, too. */
  weeks: Schema.Array(WeekTrend)
}).annotate({ identifier: "ProductivityTrends" })
export type ProductivityTrends = typeof ProductivityTrends.Type

/** A calendar week of the period, cut off where the period begins and ends. */
export const WeekFigures = Schema.Struct({
  start_date: Schema.String,
  end_date: Schema.String,
  ...amount,
  metrics: Schema.NullOr(ProductivityMetrics)
})

const daily = {
  days: Schema.Array(DayAmount),
  weeks: Schema.Array(WeekFigures),
  statistics: DayStatistics,
  /** What each of the statistics is. */
  definitions: Schema.Record(Schema.String, Schema.String)
}

export const DailyAnalytics = Schema.Struct({ period: AnalysedPeriod, ...daily }).annotate({ identifier: "DailyAnalytics" })
export type DailyAnalytics = typeof DailyAnalytics.Type

/** Of what members share; a day is that of each author's own zone. */
export const TeamAnalytics = Schema.Struct({
  team_id: OrganizationId,
  period: Schema.Struct({ start_date: Schema.String, end_date: Schema.String }),
  ...daily
}).annotate({ identifier: "TeamAnalytics" })
export type TeamAnalytics = typeof TeamAnalytics.Type
