/** Days, times and durations as time trackers write them. */
import type { CsvDateFormat } from "@englog/domain/imports/CsvFormat"
import { DateTime, Option } from "effect"
import type { WallTime } from "../calendar/IcsZones.ts"

const PARTS = /^(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})\.?$/

/**
 * In which order the days of a file stand: what one of them tells holds for all. Undefined where none does: "03/04/2026" is a day in
 * March or in April.
 */
export const dateFormatOf = (days: ReadonlyArray<string>): CsvDateFormat | undefined => {
  for (const day of days) {
    const [, first = "", second = ""] = PARTS.exec(day.trim()) ?? []
    if (first.length === 4) return "ymd"
    if (first === "") continue
    // Only German and Slavic habits write dots, and they begin with the day.
    if (day.includes(".") || Number(first) > 12) return "dmy"
    if (Number(second) > 12) return "mdy"
  }
  return undefined
}

export const dayOf = (text: string, format: CsvDateFormat): Pick<WallTime, "year" | "month" | "day"> | undefined => {
  const [, a, b, c] = PARTS.exec(text.trim()) ?? []
  if (a === undefined || b === undefined || c === undefined) return undefined
  const [year, month, day] = (format === "ymd" ? [a, b, c] : format === "dmy" ? [c, b, a] : [c, a, b]).map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  const full = year < 100 ? 2000 + year : year
  const exists = Option.exists(DateTime.make({ year: full, month, day }), (at) => {
    const parts = DateTime.toPartsUtc(at)
    return parts.year === full && parts.month === month && parts.day === day
  })
  return exists && full >= 1900 && full < 2200 ? { year: full, month, day } : undefined
}

export const clockOf = (text: string): Pick<WallTime, "hour" | "minute" | "second"> | undefined => {
  const [, hours, minutes, seconds, half] = /^(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*([AaPp]\.?[Mm]\.?)?$/.exec(text.trim()) ?? []
  if (hours === undefined || minutes === undefined) return undefined
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(seconds ?? 0)]
  if (minute > 59 || second > 59) return undefined
  if (half === undefined) return hour > 23 ? undefined : { hour, minute, second }
  if (hour < 1 || hour > 12) return undefined
  return { hour: hour % 12 + (half.toLowerCase().startsWith("p") ? 12 : 0), minute, second }
}

/** Milliseconds of `1:30:00`. */
export const durationOf = (text: string): number | undefined => {
  const [, hours, minutes, seconds] = /^(\d{1,4}):([0-5]\d)(?::([0-5]\d))?$/.exec(text.trim()) ?? []
  return hours === undefined ? undefined : ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1_000
}
