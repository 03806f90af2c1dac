/** ISO weeks of local days: they begin on Mondays. */
import { DateTime } from "effect"
import { weekdayOf } from "../facts/LocalTime.ts"
import { addDays } from "./LocalDays.ts"

export interface Days {
  readonly start_date: string
  readonly end_date: string
}

const DAY_MS = 86_400_000

/** `YYYY-MM-DD` of the week's Monday. */
export const mondayOf = (day: string): string =>
  addDays(day, 1 - weekdayOf(DateTime.toEpochMillis(DateTime.makeUnsafe(`${day}T00:00:00Z`)) / DAY_MS))

/** The weeks that the days touch, in order; the first and the last are cut off at the days. */
export const weeksWithin = ({ end_date, start_date }: Days): ReadonlyArray<Days> => {
  const weeks: Array<Days> = []
  for (let first = start_date; first <= end_date; first = addDays(mondayOf(first), 7)) {
    const sunday = addDays(mondayOf(first), 6)
    weeks.push({ start_date: first, end_date: sunday < end_date ? sunday : end_date })
  }
  return weeks
}
