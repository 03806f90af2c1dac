/** What is told of the days of a period, from their roll-ups. */
import { isoDate } from "../facts/LocalTime.ts"
import { metricsOfDays } from "../metrics/ProductivityMetrics.ts"
import { addAll } from "../metrics/WorkSums.ts"
import { weeksWithin } from "../users/LocalWeeks.ts"
import type { DailyAnalytics } from "./Analytics.ts"
import { type DayRollup, daySumsBetween } from "./DayRollup.ts"
import { dayStatistics, definitions } from "./DayStatistics.ts"

/** `minutesBefore`: of the same number of days just before. */
export const dailyFigures = (
  first: string,
  last: string,
  rollups: ReadonlyArray<DayRollup>,
  minutesBefore: number
): Omit<DailyAnalytics, "period"> => {
  const days = daySumsBetween(first, last, rollups).map((one) => ({ ...one, date: isoDate(one.day) }))
  return {
    days: days.map(({ date, sums: { entries, minutes } }) => ({ date, minutes, entries })),
    weeks: weeksWithin({ start_date: first, end_date: last }).map((week) => {
      const own = days.filter(({ date }) => date >= week.start_date && date <= week.end_date)
      const { entries, minutes } = addAll(own.map(({ sums }) => sums))
      return { ...week, minutes, entries, metrics: metricsOfDays(own) }
    }),
    statistics: dayStatistics(days, minutesBefore),
    definitions
  }
}
