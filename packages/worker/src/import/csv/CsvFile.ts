/** A detailed report of Toggl or Clockify: a row is a piece of work. Neither gives a row a name: it is known by who, when and what. */
import { type CsvDateFormat, csvHeaderOf } from "@englog/domain/imports/CsvFormat"
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Effect, Result, Stream } from "effect"
import { TaskFailure } from "../../handlers/TaskHandler.ts"
import { digestOf, isWithin } from "../calendar/CalendarData.ts"
import { instantIn, type Zone, zoneNamed } from "../calendar/IcsZones.ts"
import * as ImportSource from "../ImportSource.ts"
import { problemOf, tagsOf, textOf, titleOf } from "../ImportText.ts"
import { suggestType } from "../SuggestType.ts"
import { type CsvRow, readRows } from "./CsvRows.ts"
import { clockOf, dateFormatOf, dayOf, durationOf } from "./CsvTimes.ts"

export const csvFile = Effect.succeed(ImportSource.make("csv_file", ({ attendee, csv, date_format }, { period, resume, timezone }) =>
  Stream.unwrap(Effect.suspend(() => {
    const header = csvHeaderOf(csv)
    if (typeof header === "string") return failed(header)
    const report = readRows(csv, header.delimiter)
    if (typeof report === "string") return failed(report)
    const { problems, rows } = report
    const own = rowsOf(rows, attendee)
    if (typeof own === "string") return failed(own)
    const format = date_format ?? dateFormatOf(own.rows.map((row) => row.cell("start date")))
    if (format === undefined && own.rows.length > 0) {
      return failed(`Start date: "${textOf(own.rows[0]?.cell("start date") ?? "", 40)}" can be read in more than one way; say date_format: dmy, mdy or ymd`)
    }
    const terms = { format: format ?? "ymd", zone: zoneNamed(timezone), source: header.format, period }
    const found = itemsOf(own.rows, terms)
    return Effect.succeed(ImportSource.paged({
      items: found.items,
      problems: [...problems, ...found.problems],
      skipped: found.skipped + rows.length - own.rows.length
    }, resume))
  }))))

const failed = (message: string) => Effect.fail(new TaskFailure({ message, retryable: false }))

/** Of a report of several people, the rows of whoever imports it. */
const rowsOf = (rows: ReadonlyArray<CsvRow>, address: string | null): { readonly rows: ReadonlyArray<CsvRow> } | string => {
  const of = (row: CsvRow) => row.cell("email").toLowerCase()
  const people = new Set(rows.map(of))
  if (people.size <= 1) return { rows }
  const own = rows.filter((row) => of(row) === address)
  return own.length > 0 ? { rows: own } : "Email: the report is of several people, and none of its rows has your address"
}

interface Terms {
  readonly format: CsvDateFormat
  readonly zone: Zone
  readonly source: string
  readonly period: ImportPeriod | null
}

const itemsOf = (rows: ReadonlyArray<CsvRow>, terms: Terms) => {
  const items: Array<ImportedItem> = []
  const problems: Array<ImportProblem> = []
  const names = new Map<string, number>()
  let skipped = 0
  for (const row of rows) {
    const item = itemOf(row, terms)
    if (Result.isFailure(item)) {
      problems.push(item.failure)
      continue
    }
    // Two rows may say the very same: they are told apart by their order.
    const count = (names.get(item.success.external_id) ?? 0) + 1
    names.set(item.success.external_id, count)
    if (isWithin(item.success, terms.period)) items.push(count === 1 ? item.success : { ...item.success, occurrence: String(count) })
    else skipped += 1
  }
  return { items, problems, skipped }
}

const itemOf = (row: CsvRow, { format, source, zone }: Terms): Result.Result<ImportedItem, ImportProblem> => {
  const what = row.cell("description") || row.cell("task") || row.cell("project")
  const wrong = (field: string, error: string) => Result.fail(problemOf({ row: row.row, field, item: what, error }))
  const instant = (day: readonly [string, string], time: readonly [string, string]): Result.Result<DateTime.Utc, ImportProblem> => {
    const date = dayOf(day[1], format)
    if (date === undefined) return wrong(day[0], `must be a day that exists, as ${format}; it is "${textOf(day[1], 40)}"`)
    const clock = clockOf(time[1])
    if (clock === undefined) return wrong(time[0], `must be a time of day, such as 09:30:00 or 9:30 PM; it is "${textOf(time[1], 40)}"`)
    return Result.mapError(instantIn(zone, { ...date, ...clock }), (error) => problemOf({ row: row.row, field: time[0], item: what, error }))
  }
  return Result.gen(function*() {
    const start = yield* instant(["Start date", row.cell("start date")], ["Start time", row.cell("start time")])
    const length = row.cell("duration", "duration (h)")
    const lasted = durationOf(length)
    const ended = row.cell("end time", "stop time")
    if (ended === "" && lasted === undefined) {
      return yield* length === "" ? wrong("End time", "is required, or a duration") : wrong("Duration", `must be hours, minutes and seconds, such as 1:30:00; it is "${textOf(length, 40)}"`)
    }
    const end = ended === ""
      ? DateTime.add(start, { milliseconds: lasted ?? 0 })
      : yield* instant(["End date", row.cell("end date", "stop date") || row.cell("start date")], ["End time", ended])
    if (!DateTime.isGreaterThan(end, start)) return yield* wrong("End time", "must be after the start")
    return {
      source,
      external_id: digestOf([row.cell("email").toLowerCase(), DateTime.formatIso(start), row.cell("project"), row.cell("description")]),
      occurrence: "",
      removed: false,
      title: titleOf(what),
      description: null,
      start_time: start,
      end_time: end,
      all_day: false,
      type: suggestType(what, "code"),
      impact_level: "personal" as const,
      tags: tagsOf(row.cell("tags").split(",")),
      project: textOf(row.cell("project"), 200) || null
    }
  })
}
