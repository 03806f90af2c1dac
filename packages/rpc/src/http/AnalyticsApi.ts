/** Figures about somebody's own time (seed 004, `/v1/analytics`). */
import { Dashboard, ProductivityTrends, TimeDistribution } from "@englog/domain/analytics/Analytics"
import { Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest } from "./HttpErrors.ts"
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
const period = { start_date: "2026-01-05", end_date: "2026-01-06", timezone: "Europe/Lisbon" }
const byType = [{ type: "code", minutes: 480, entries: 4, share: 61.53846153846154 }, { type: "meeting", minutes: 300, entries: 3, share: 38.46153846153846 }]
const byProject = [{ project_id: null, project_name: null, minutes: 780, entries: 7, share: 100 }]
const of = (key: string, count: number, first: number) =>
  Array.from({ length: count }, (_, index) => ({ [key]: first + index, minutes: index === 0 ? 780 : 0, entries: index === 0 ? 7 : 0, share: index === 0 ? 100 : 0 }))

export class AnalyticsApi extends HttpApiGroup.make("analytics").add(
  HttpApiEndpoint.get("dashboard", "/v1/analytics/dashboard", { query: AnalyticsQuery, success: Dashboard, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "A period at a glance",
      description: "Totals, the period before, the nine productivity metrics, every day, types and projects. At most 3,660 days.",
      transform: examples({
        response: {
          period,
          total: { minutes: 780, entries: 7, days: 2 },
          previous: { minutes: 600, entries: 5, change: 30 },
          metrics,
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
            metrics
          }]
        }
      })
    }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Analytics",
  description: "Figures about one's own time, computed from entries. An entry belongs to the local day and hour in which it starts."
})) {}
