/**
 * The nine metrics as facts `metric.<name>`, each with the entries that make it what it is.
 */
import {
  isCollaboration, isFocusTime, isFocusType, isHighValue, isWideImpact
} from "../metrics/ActivityGroups.ts"
import { mostProductiveWeekday } from "../metrics/ProductivityMetrics.ts"
import type { Fact, FactEntry, FactUnit, ProductivityMetrics } from "./Fact.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export const metricFacts = (placed: ReadonlyArray<PlacedEntry>, metrics: ProductivityMetrics): ReadonlyArray<Fact> => {
  const weekday = mostProductiveWeekday(placed)
  const metric = (name: string, label: string, value: number, unit: FactUnit, on: ReadonlyArray<PlacedEntry>) =>
    makeFact({ id: `metric.${name}`, label, value, unit, on })
  const share = (name: string, label: string, value: number, chosen: (entry: FactEntry) => boolean) =>
    metric(name, label, value, "percent", placed.filter(({ entry }) => chosen(entry)))
  return [
    metric("average_daily_hours", "Average time per day with entries", metrics.average_daily_hours, "hours", placed),
    metric(
      "peak_productivity_hour",
      "Hour of the day whose entries hold most time",
      metrics.peak_productivity_hour,
      "hour",
      placed.filter(({ local }) => local.hour === metrics.peak_productivity_hour)
    ),
    metric(
      "most_productive_day",
      "Weekday with most time",
      weekday,
      "weekday",
      placed.filter(({ local }) => local.weekday === weekday)
    ),
    metric(
      "activity_efficiency_score",
      "Activity efficiency: share of time in code, debug and docs",
      metrics.activity_efficiency_score,
      "score",
      placed.filter(({ entry }) => isFocusType(entry))
    ),
    share(
      "focus_time_percentage",
      "Focus time: share of time in code, debug and docs entries of an hour or longer",
      metrics.focus_time_percentage,
      isFocusTime
    ),
    share(
      "collaboration_ratio",
      "Collaboration: share of time in meetings, mentoring and reviews",
      metrics.collaboration_ratio,
      isCollaboration
    ),
    share("high_value_percentage", "Share of time in work of high value", metrics.high_value_percentage, isHighValue),
    share(
      "company_impact_ratio",
      "Share of time in work with product or company impact",
      metrics.company_impact_ratio,
      isWideImpact
    ),
    metric(
      "value_impact_score",
      "Value and impact score: mean of value times impact over all entries",
      metrics.value_impact_score,
      "score",
      placed
    )
  ]
}
