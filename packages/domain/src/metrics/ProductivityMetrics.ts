/**
 * The nine metrics. Definitions: product.md, "EngLog itself"; formulas: seed 004, "Advanced Analytics Features". All are
 * unrounded; shares are of minutes and 0 where no minutes were recorded. Ties go to the earliest.
 */
import { ProductivityMetrics } from "../facts/Fact.ts"
import { weekdayName } from "../facts/FactText.ts"
import type { Placed } from "../facts/LocalTime.ts"
import { isCollaboration, isFocusTime, isFocusType, isHighValue, isWideImpact, type Measured } from "./ActivityGroups.ts"
import { MAX_VALUE_IMPACT, valueImpact } from "./ValueImpact.ts"

/** Null when there are no entries: there is no metric of nothing. */
export const productivityMetrics = (placed: ReadonlyArray<Placed<Measured>>): ProductivityMetrics | null =>
  placed.length === 0 ? null : new ProductivityMetrics({
    average_daily_hours: averageDailyHours(placed),
    peak_productivity_hour: peakProductivityHour(placed),
    most_productive_day: weekdayName(mostProductiveWeekday(placed)),
    activity_efficiency_score: minuteShare(placed, isFocusType),
    focus_time_percentage: minuteShare(placed, isFocusTime),
    collaboration_ratio: minuteShare(placed, isCollaboration),
    high_value_percentage: minuteShare(placed, isHighValue),
    company_impact_ratio: minuteShare(placed, isWideImpact),
    value_impact_score: valueImpactScore(placed)
  })

export const totalMinutes = (placed: ReadonlyArray<Placed<Measured>>): number =>
  placed.reduce((sum, { entry }) => sum + entry.duration_minutes, 0)

/**
 * Hours per day that has entries (`calculateAverageDailyHours`): recorded hours over the number of local days on which an
 * entry starts. Days without entries do not count.
 */
export const averageDailyHours = (placed: ReadonlyArray<Placed<Measured>>): number => {
  const days = new Set(placed.map(({ local }) => local.day)).size
  return days === 0 ? 0 : totalMinutes(placed) / 60 / days
}

/** Hour of the day, 0..23, in which the entries with most minutes start (`findPeakProductivityHour`). */
export const peakProductivityHour = (placed: ReadonlyArray<Placed<Measured>>): number =>
  heaviest(placed, ({ local }) => local.hour)

/** ISO weekday with most minutes over the period (product.md: "weekday with most minutes"). */
export const mostProductiveWeekday = (placed: ReadonlyArray<Placed<Measured>>): number =>
  heaviest(placed, ({ local }) => local.weekday)

/**
 * Share of minutes, 0..100, in the entries chosen. With `isFocusType` it is activity_efficiency_score
 * (`calculateEfficiencyScore`), with `isFocusTime` focus_time_percentage (product.md: "code, debug or docs entries of at
 * least 60 min"), with `isCollaboration` collaboration_ratio (product.md: "meeting, mentoring and review"), with
 * `isHighValue` high_value_percentage and with `isWideImpact` company_impact_ratio (both as in the seed).
 */
export const minuteShare = <Entry extends Measured>(placed: ReadonlyArray<Placed<Entry>>, chosen: (entry: Entry) => boolean): number => {
  const total = totalMinutes(placed)
  return total === 0 ? 0 : totalMinutes(placed.filter(({ entry }) => chosen(entry))) / total * 100
}

/** Mean over entries, not minutes, of value weight times impact weight in percent of the maximum (`calculateValueImpactScore`). */
export const valueImpactScore = (placed: ReadonlyArray<Placed<Measured>>): number =>
  placed.length === 0
    ? 0
    : placed.reduce((sum, { entry }) => sum + valueImpact(entry), 0) / (MAX_VALUE_IMPACT * placed.length) * 100

/** The key with most minutes; among equals the smallest, which is the earliest hour or weekday. */
const heaviest = (placed: ReadonlyArray<Placed<Measured>>, key: (entry: Placed<Measured>) => number): number => {
  const minutes = new Map<number, number>()
  for (const one of placed) minutes.set(key(one), (minutes.get(key(one)) ?? 0) + one.entry.duration_minutes)
  const ordered = [...minutes].sort(([a, x], [b, y]) => y - x || a - b)
  return ordered[0]?.[0] ?? 0
}
