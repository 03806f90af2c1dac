/**
 * How a figure is printed. One place, so that the same number reads the same in every insight.
 */
import { DateTime } from "effect"
import type { FactUnit } from "./Fact.ts"

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December"
]
const DAY_MS = 86_400_000

/** ISO weekday (1 = Monday … 7 = Sunday) in English. */
export const weekdayName = (weekday: number): string => WEEKDAYS[weekday - 1] ?? "Monday"

/** Thousands are grouped by a comma, decimals (at most `digits`, no trailing zeros) follow a point. */
const grouped = (value: number, digits: number): string => {
  const [whole = "0", decimals = ""] = Math.abs(value).toFixed(digits).split(".")
  const kept = decimals.replace(/0+$/, "")
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (kept === "" ? "" : `.${kept}`)
  return value < 0 && text !== "0" ? `-${text}` : text
}

const durationText = (value: number): string => {
  const minutes = Math.round(Math.abs(value))
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  const text = hours === 0 ? `${rest} min` : rest === 0 ? `${grouped(hours, 0)} h` : `${grouped(hours, 0)} h ${rest} min`
  return value < 0 && minutes > 0 ? `-${text}` : text
}

/** A share that is not nothing never prints as nothing. */
const percentText = (value: number): string => value > 0 && value < 0.05 ? "<0.1 %" : `${grouped(value, 1)} %`

const pad = (value: number): string => String(value).padStart(2, "0")

const dateText = (day: number): string => {
  const parts = DateTime.toPartsUtc(DateTime.makeUnsafe(day * DAY_MS))
  return `${parts.day} ${MONTHS[parts.month - 1] ?? ""} ${parts.year}`
}

/** "12 h 30 min", "6.4 h", "41.7 %", "1,247", "14:00–15:00", "1 July 2025", "Tuesday", "63.2/100". */
export const factText = (value: number, unit: FactUnit): string => {
  switch (unit) {
    case "minutes": return durationText(value)
    case "hours": return `${grouped(value, 1)} h`
    case "percent": return percentText(value)
    case "count": return grouped(value, 0)
    case "hour": return `${pad(value)}:00–${pad((value + 1) % 24)}:00`
    case "date": return dateText(value)
    case "weekday": return weekdayName(value)
    case "score": return `${grouped(value, 1)}/100`
  }
}

/** An amount that need not be whole: "12", "2.5". */
export const amountText = (value: number): string => grouped(value, 2)

/** A change carries its sign: "+12.5 %", "-3 %"; no change at all is "0 %". */
export const changeText = (value: number): string => {
  const text = `${grouped(value, 1)} %`
  return value > 0 && text !== "0 %" ? `+${text}` : text
}

/** A difference between two shares is in percentage points: "+8.3 points". */
export const pointsText = (value: number): string => {
  const text = grouped(value, 1)
  return `${value > 0 && text !== "0" ? "+" : ""}${text} ${text === "1" || text === "-1" ? "point" : "points"}`
}
