/** Which week is to be reported: the ISO week before the last Monday on which it was nine o'clock (seed 004, scheduleWeeklyReports). */
import { DateTime } from "effect"
import { addDays, localDayOf, startOfLocalDay } from "./LocalDays.ts"
import { mondayOf } from "./LocalWeeks.ts"

export interface ReportWeek {
  /** Local days, Monday and Sunday. */
  readonly start_date: string
  readonly end_date: string
  /** When its report became due: Monday, nine o'clock. */
  readonly due: DateTime.Utc
}

const HOUR = 9

export const reportWeekAt = (now: DateTime.Utc, timezone: string): ReportWeek => {
  const monday = mondayOf(localDayOf(now, timezone))
  const due = localNine(monday, timezone)
  return DateTime.isLessThanOrEqualTo(due, now) ? weekBefore(monday, due) : weekBefore(addDays(monday, -7), localNine(addDays(monday, -7), timezone))
}

const weekBefore = (monday: string, due: DateTime.Utc): ReportWeek => ({ start_date: addDays(monday, -7), end_date: addDays(monday, -1), due })

/** By the wall clock: where the night before was an hour longer or shorter it is nine all the same. */
const localNine = (day: string, timezone: string): DateTime.Utc => {
  const zone = DateTime.zoneMakeNamed(timezone)
  return zone._tag === "None"
    ? DateTime.add(startOfLocalDay(day, "UTC"), { hours: HOUR })
    : DateTime.toUtc(DateTime.makeZonedUnsafe(`${day}T0${HOUR}:00:00Z`, { timeZone: zone.value, adjustForTimeZone: true }))
}
