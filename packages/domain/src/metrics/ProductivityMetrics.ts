/**
 * The nine metrics. Definitions: product.md, "EngLog itself"; formulas: seed 004, "Advanced Analytics Features". All are
 * unrounded; shares are of minutes and 0 where no minutes were recorded. Ties go to the earliest.
 */
import { ProductivityMetrics } from "../facts/Fact.ts"
import { weekdayName } from "../facts/FactText.ts"
import { type Placed, weekdayOf } from "../facts/LocalTime.ts"
import type { Measured } from "./ActivityGroups.ts"
import { MAX_VALUE_IMPACT } from "./ValueImpact.ts"
import { addAll, type WorkSums, workSums } from "./WorkSums.ts"

/** A local day, counted since 1970-01-01, and what the entries that start on it come to. */
export interface DaySums {
  readonly day: number
  readonly sums: WorkSums
}

/** Null when there are no entries: there is no metric of nothing. */
export const productivityMetrics = (placed: ReadonlyArray<Placed<Measured>>): ProductivityMetrics | null => metricsOfDays(daySums(placed))

/**
 * The same of days that were summed up before, in any order; a day may come more than once.
 *
 * average_daily_hours: hours per day that has entries (`calculateAverageDailyHours`); days without entries do not count.
 * peak_productivity_hour: 0..23, in which the entries with most minutes start (`findPeakProductivityHour`).
 * most_productive_day: weekday with most minutes over the period (product.md).
 * The shares are percentages, 0..100, of minutes: activity_efficiency_score in code, debug or docs (`calculateEfficiencyScore`),
 * focus_time_percentage in those of at least 60 min, collaboration_ratio in meeting, mentoring and review (both product.md),
 * high_value_percentage and company_impact_ratio as in the seed.
 * value_impact_score: mean over entries, not minutes, of value weight times impact weight in percent of the maximum
 * (`calculateValueImpactScore`).
 */
export const metricsOfDays = (days: ReadonlyArray<DaySums>): ProductivityMetrics | null => {
  const worked = days.filter(({ sums }) => sums.entries > 0)
  if (worked.length === 0) return null
  const sums = addAll(worked.map(({ sums }) => sums))
  const share = (part: number) => sums.minutes === 0 ? 0 : part / sums.minutes * 100
  return new ProductivityMetrics({
    average_daily_hours: sums.minutes / 60 / new Set(worked.map(({ day }) => day)).size,
    peak_productivity_hour: heaviest(Object.entries(sums.by_hour).map(([hour, minutes]) => [Number(hour), minutes])),
    most_productive_day: weekdayName(weekdayOfMost(worked)),
    activity_efficiency_score: share(sums.focus_type),
    focus_time_percentage: share(sums.focus_time),
    collaboration_ratio: share(sums.collaboration),
    high_value_percentage: share(sums.high_value),
    company_impact_ratio: share(sums.wide_impact),
    value_impact_score: sums.value_impact / (MAX_VALUE_IMPACT * sums.entries) * 100
  })
}

/** By local day, in the order in which the days are met. */
export const daySums = (placed: ReadonlyArray<Placed<Measured>>): ReadonlyArray<DaySums> =>
  [...Map.groupBy(placed, ({ local }) => local.day)].map(([day, entries]) => ({ day, sums: workSums(entries) }))

/** ISO weekday with most minutes over the period. */
export const mostProductiveWeekday = (placed: ReadonlyArray<Placed<Measured>>): number => weekdayOfMost(daySums(placed))

/** Share of minutes, 0..100, in the entries chosen. */
export const minuteShare = <Entry extends Measured>(placed: ReadonlyArray<Placed<Entry>>, chosen: (entry: Entry) => boolean): number => {
  const total = totalMinutes(placed)
  return total === 0 ? 0 : totalMinutes(placed.filter(({ entry }) => chosen(entry))) / total * 100
}

const totalMinutes = (placed: ReadonlyArray<Placed<Measured>>): number => placed.reduce((sum, { entry }) => sum + entry.duration_minutes, 0)

const weekdayOfMost = (days: ReadonlyArray<DaySums>): number => {
  const minutes = new Map<number, number>()
  for (const { day, sums } of days) minutes.set(weekdayOf(day), (minutes.get(weekdayOf(day)) ?? 0) + sums.minutes)
  return heaviest([...minutes])
}

/** The key with most minutes; among equals the smallest, which is the earliest hour or weekday. */
const heaviest = (minutes: ReadonlyArray<readonly [number, number]>): number => minutes.toSorted(([a, x], [b, y]) => y - x || a - b)[0]?.[0] ?? 0
