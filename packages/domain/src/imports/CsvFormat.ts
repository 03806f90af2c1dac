/**
 * Exports of time trackers as CSV: whose a file is, by the names in its first row, and what separates its fields. Who accepts a file
 * asks this before it is read whole.
 */
import { Schema } from "effect"

export const CsvFormat = Schema.Literals(["toggl", "clockify"])
export type CsvFormat = typeof CsvFormat.Type

/** What a day looks like where `2026-03-04` is not how it is written. */
export const CsvDateFormat = Schema.Literals(["ymd", "dmy", "mdy"])
export type CsvDateFormat = typeof CsvDateFormat.Type

export interface CsvHeader {
  readonly format: CsvFormat
  readonly delimiter: string
}

const DELIMITERS = [",", ";", "\t", "|"] as const

/** Or what is wrong with the first row. */
export const csvHeaderOf = (text: string): CsvHeader | string => {
  const line = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).find((row) => row.trim() !== "")
  if (line === undefined) return "row 1: must hold the names of the columns; the file is empty"
  const delimiter = DELIMITERS.reduce((best, one) => line.split(one).length > line.split(best).length ? one : best)
  const names = line.split(delimiter).map(columnName)
  const missing = ["start date", "start time"].filter((name) => !names.includes(name))
  if (missing.length > 0 || !names.some((name) => name.startsWith("duration") || name === "end time" || name === "stop time")) {
    return `row 1: is no detailed report of Toggl or Clockify: there is no column "${missing[0] ?? "end time"}"`
  }
  return { format: names.some((name) => /^duration \((h|decimal)\)$/.test(name)) ? "clockify" : "toggl", delimiter }
}

export const columnName = (cell: string): string => cell.trim().replace(/^"(.*)"$/, "$1").trim().toLowerCase()
