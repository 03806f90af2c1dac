/** Figures about somebody's own time (seed 004, `/v1/analytics`). */
import { DailyAnalytics, Dashboard, ProductivityTrends, TeamAnalytics, TimeDistribution } from "@englog/domain/analytics/Analytics"
import { definitions } from "@englog/domain/analytics/DayStatistics"
import { OrganizationId } from "@englog/domain/Ids"
import { Schema, SchemaTransformation } from "effect"
import { UserMetrics } from "@englog/domain/analytics/UserMetrics"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest, NotFound } from "./HttpErrors.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** Local days in the user's zone, both inclusive. Without them: the last 30 days; with one of them: 30 days from or up to it. */
export const AnalyticsQuery = Schema.Struct({
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate)
}).check(inOrder("start_date", "end_date"))
export type AnalyticsQuery = typeof AnalyticsQuery.Type

const isWeeks = (text: string) => /^([1-9][0-9]?|10[0-4])$/.test(text)

const Weeks = Schema.String.check(
  Schema.makeFilter<string>((text) => isWeeks(text) ? undefined : "must be a whole number from 1 to 104", {
    expected: "a whole number from 1 to 104",
    toJsonSchema: () => [{ pattern: "^([1-9][0-9]?|10[0-4])$" }, true]
  })
).annotate({ description: "How many completed weeks: 1 to 104, 12 where it is not given.", examples: ["12"] }).pipe(
  Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String }))
)

export const TrendQuery = Schema.Struct({ weeks: Schema.optionalKey(Weeks) })
export type TrendQuery = typeof TrendQuery.Type

const metrics = {
  average_daily_hours: 6.5,
  peak_productivity_hour: 9,
  most_productive_day: "Tuesday",
  activity_efficiency_score: 61.5,
  focus_time_percentage: 53.8,
  collaboration_ratio: 23.1,
  high_value_percentage: 38.5,
  company_impact_ratio: 46.2,
  value_impact_score: 41.7
}
const outside = { minutes: 39, entries: 1, share: 5 }
const period = { start_date: "2026-01-05", end_date: "2026-01-06", timezone: "Europe/Lisbon" }
const byType = [{ type: "code", minutes: 480, entries: 4, share: 61.53846153846154 }, { type: "meeting", minutes: 300, entries: 3, share: 38.46153846153846 }]
const byProject = [{ project_id: null, project_name: null, minutes: 780, entries: 7, share: 100 }]
const of = (key: string, count: number, first: number) =>
  Array.from({ length: count }, (_, index) => ({ [key]: first + index, minutes: index === 0 ? 780 : 0, entries: index === 0 ? 7 : 0, share: index === 0 ? 100 : 0 }))

const daily = {
  days: [{ date: "2026-01-05", minutes: 400, entries: 4 }, { date: "2026-01-06", minutes: 380, entries: 3 }],
  weeks: [{ start_date: "2026-01-05", end_date: "2026-01-06", minutes: 780, entries: 7, metrics }],
  statistics: {
    days: 2, days_with_entries: 2, total: { minutes: 780, entries: 7 }, mean: 390, median: 390, standard_deviation: 10, minimum: 380, maximum: 400,
    trend: -140, change: 30, metrics
  },
  definitions
}

export class AnalyticsApi extends HttpApiGroup.make("analytics").add(
  HttpApiEndpoint.get("dashboard", "/v1/analytics/dashboard", { query: AnalyticsQuery, success: Dashboard, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "A period at a glance",
      description: "Totals, the period before, the nine productivity metrics, time outside working hours, every day, types and projects. At most 3,660 days.",
      transform: examples({
        response: {
          period,
          total: { minutes: 780, entries: 7, days: 2 },
          previous: { minutes: 600, entries: 5, change: 30 },
          metrics,
          outside_working_hours: outside,
          by_day: [{ date: "2026-01-05", minutes: 400, entries: 4 }, { date: "2026-01-06", minutes: 380, entries: 3 }],
          by_type: byType,
          top_projects: byProject
        }
      })
    })),
  HttpApiEndpoint.get("timeDistribution", "/v1/analytics/time-distribution", { query: AnalyticsQuery, success: TimeDistribution, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "Where the time went",
      description: "Minutes and shares by type, project, tag, value, impact, hour of the day and weekday. At most 3,660 days.",
      transform: examples({
        response: {
          period,
          total: { minutes: 780, entries: 7 },
          by_type: byType,
          by_project: byProject,
          by_tag: [{ tag: "backend", minutes: 390, entries: 3, share: 50 }],
          by_value_rating: [{ value_rating: "high", minutes: 780, entries: 7, share: 100 }],
          by_impact_level: [{ impact_level: "team", minutes: 780, entries: 7, share: 100 }],
          by_hour: of("hour", 24, 0),
          by_weekday: of("weekday", 7, 1)
        }
      })
    })),
  HttpApiEndpoint.get("userMetrics", "/v1/users/me/metrics", { success: UserMetrics })
    .annotateMerge(OpenApi.annotations({
      summary: "Your nine metrics over the last 30 days",
      description: "As they were computed last: a task does it after entries have changed, once for many changes.",
      transform: examples({
        response: { period_start: "2025-12-14", period_end: "2026-01-12", minutes: 780, entries: 7, metrics, computed_at: "2026-01-12T08:00:00.000Z", stale: false }
      })
    })),
  HttpApiEndpoint.get("productivityTrends", "/v1/analytics/productivity-trends", { query: TrendQuery, success: ProductivityTrends })
    .annotateMerge(OpenApi.annotations({
      summary: "Week by week",
      description: "Completed ISO weeks in the user's zone, oldest first, with true sums.",
      transform: examples({
        response: {
          timezone: "Europe/Lisbon",
          weeks: [{
            week: "2026-W02",
            start_date: "2026-01-05",
            end_date: "2026-01-11",
            minutes: 780,
            entries: 7,
            weekly_hours: 13,
            code_percentage: 61.53846153846154,
            meeting_percentage: 38.46153846153846,
            efficiency_score: 61.53846153846154,
            metrics,
            outside_working_hours: outside
          }]
        }
      })
    }))
,
  HttpApiEndpoint.get("daily", "/v1/analytics/daily", { query: AnalyticsQuery, success: DailyAnalytics, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "Day by day and week by week, with statistics and their definitions",
      description: "Read from the roll-ups of days where they are right, from entries otherwise. At most 3,660 days.",
      transform: examples({ response: { period, ...daily } })
    })),
  HttpApiEndpoint.get("teamDaily", "/v1/teams/:id/analytics", {
    params: { id: OrganizationId },
    query: AnalyticsQuery,
    success: TeamAnalytics,
    error: [BadRequest, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "A team day by day and week by week",
    description: "Of what members share with it, at either level, from the moment on that they chose; a day is that of each author's own zone. At most 3,660 days.",
    transform: examples({
      response: { team_id: "5f0c0e5e-6d53-4f0e-9d3a-0b9d3c4e9a10", period: { start_date: "2026-01-05", end_date: "2026-01-06" }, ...daily }
    })
  }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Analytics",
  description: "Figures about one's own time and a team's, computed from entries. An entry belongs to the local day and hour in which it starts."
})) {}
