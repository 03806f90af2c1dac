/**
 * Trends over completed ISO weeks (Monday to Sunday, ISO 8601) of the user's zone, with true sums (product.md; the seed's
 * `GenerateTrendAnalysis` puts its first week into the future and multiplies daily averages by seven).
 */
import { isoDate, type Placed, weekdayOf } from "../facts/LocalTime.ts"
import { isFocusType, type Measured } from "../metrics/ActivityGroups.ts"
import type { OutsideWorkingHours } from "../metrics/OutsideWorkingHours.ts"
import { minuteShare, productivityMetrics } from "../metrics/ProductivityMetrics.ts"
import type { ProductivityTrends } from "./Analytics.ts"
import { amountOf } from "./TimeShares.ts"

/** Days since 1970-01-01 of the Monday before the week that is running on `today`, `weeks` weeks earlier. */
export const firstMonday = (today: number, weeks: number): number => mondayOf(today) - 7 * weeks

export const mondayOf = (day: number): number => day - (weekdayOf(day) - 1)

/** ISO 8601: a week belongs to the year of its Thursday, and its year's first week has the first Thursday. */
export const isoWeek = (day: number): string => {
  const thursday = mondayOf(day) + 3
  const year = isoDate(thursday).slice(0, 4)
  const newYear = Math.round(Date.parse(`${year}-01-01T00:00:00Z`) / 86_400_000)
  return `${year}-W${String(1 + Math.floor((thursday - newYear) / 7)).padStart(2, "0")}`
}

type Entries = ReadonlyArray<Placed<Measured>>

/** Of the `weeks` weeks that are over on the local day `today`; what lies outside is left out. `outside`: of the entries of one week. */
export const weekTrends = (
  placed: Entries,
  today: number,
  weeks: number,
  outside: (entries: Entries) => OutsideWorkingHours | null
): ProductivityTrends["weeks"] => {
  const byWeek = Map.groupBy(placed, ({ local }) => mondayOf(local.day))
  return Array.from({ length: weeks }, (_, index) => {
    const monday = firstMonday(today, weeks) + 7 * index
    const entries = byWeek.get(monday) ?? []
    const amount = amountOf(entries)
    return {
      week: isoWeek(monday),
      start_date: isoDate(monday),
      end_date: isoDate(monday + 6),
      ...amount,
      weekly_hours: amount.minutes / 60,
      code_percentage: minuteShare(entries, ({ type }) => type === "code"),
      meeting_percentage: minuteShare(entries, ({ type }) => type === "meeting"),
      efficiency_score: minuteShare(entries, isFocusType),
      metrics: productivityMetrics(entries),
      outside_working_hours: outside(entries)
    }
  })
}
