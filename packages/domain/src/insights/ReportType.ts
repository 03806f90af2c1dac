/**
 * The report types of seed 004, and which period each is about where the request names none. Days are local days of the user,
 * `YYYY-MM-DD`, both inclusive.
 */
import { Schema } from "effect"
import { addDays } from "../users/LocalDays.ts"
import { type Days, mondayOf } from "../users/LocalWeeks.ts"

export const ReportType = Schema.Literals(["daily", "weekly", "sprint", "monthly", "quarterly", "annual"])
export type ReportType = typeof ReportType.Type

/** The type whose usual length is nearest from above; a sprint is taken to last up to three weeks. */
export const fittingType = (days: number): ReportType =>
  days <= 1 ? "daily" : days <= 7 ? "weekly" : days <= 21 ? "sprint" : days <= 31 ? "monthly" : days <= 92 ? "quarterly" : "annual"

/**
 * A day's summary is an end-of-day recap, so it is about today. All others are about the last of their kind that is complete:
 * the ISO week, the two ISO weeks, the month, the quarter, the year before the present one.
 */
export const defaultPeriod = (type: ReportType, today: string): Days => {
  const until = (start_date: string, next: string): Days => ({ start_date, end_date: addDays(next, -1) })
  const monday = mondayOf(today)
  const [year, month] = [Number(today.slice(0, 4)), Number(today.slice(5, 7))]
  const quarter = month - (month - 1) % 3
  switch (type) {
    case "daily": return { start_date: today, end_date: today }
    case "weekly": return until(addDays(monday, -7), monday)
    case "sprint": return until(addDays(monday, -14), monday)
    case "monthly": return until(firstOf(year, month - 1), firstOf(year, month))
    case "quarterly": return until(firstOf(year, quarter - 3), firstOf(year, quarter))
    case "annual": return until(firstOf(year - 1, 1), firstOf(year, 1))
  }
}

/** Months below 1 are those of the year before. */
const firstOf = (year: number, month: number): string =>
  month < 1 ? firstOf(year - 1, month + 12) : `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-01`
