/** One VEVENT, read: what it says, or why it cannot be used. */
import type { ImportProblem } from "@englog/domain/imports/ImportedItem"
import { DateTime, Result } from "effect"
import ICAL from "ical.js"
import { problemOf } from "../ImportText.ts"
import type { IcsBlock } from "./IcsText.ts"
import { type IcsTime, type TimeContext, timeOf, valuesOf } from "./IcsTimes.ts"

export interface IcsEvent {
  readonly row: number
  /** Empty where it has none. */
  readonly uid: string
  readonly sequence: number
  readonly summary: string
  readonly description: string
  readonly categories: ReadonlyArray<string>
  readonly cancelled: boolean
  /** Addresses that said no, in lower case. */
  readonly declined: ReadonlySet<string>
  readonly start: IcsTime
  readonly end: IcsTime | undefined
  /** Milliseconds, where it has a DURATION instead of an end. */
  readonly duration: number | undefined
  readonly rules: ReadonlyArray<string>
  readonly added: ReadonlyArray<IcsTime>
  readonly excepted: ReadonlyArray<IcsTime>
  /** The occurrence of a series that it is instead of. */
  readonly instead: IcsTime | undefined
  /** And of all later ones (RANGE=THISANDFUTURE; RFC 5545, 3.2.13). */
  readonly onwards: boolean
}

/** Those without which nothing is known; of the others a broken one is left out. */
const NEEDED: ReadonlySet<string> = new Set(["dtstart", "dtend", "duration", "rrule", "rdate", "exdate", "recurrence-id", "uid", "status"])
/** One event may hold so many lists of exceptions. */
const MAX_TIMES = 5_000

export const readEvent = ({ lines, row }: IcsBlock, context: TimeContext): Result.Result<IcsEvent, ImportProblem> => {
  const properties: Array<{ readonly property: ICAL.Property; readonly row: number }> = []
  for (const line of lines) {
    const name = /^[A-Za-z0-9-]+/.exec(line.text)?.[0].toLowerCase() ?? ""
    const read = Result.try(() => ICAL.Property.fromString(line.text))
    if (Result.isSuccess(read)) properties.push({ property: read.success, row: line.row })
    else if (NEEDED.has(name)) return Result.fail(problemOf({ row: line.row, field: name.toUpperCase(), item: summaryOf(lines), error: "cannot be read" }))
  }
  const all = (name: string) => properties.filter(({ property }) => property.name === name)
  const text = (name: string) => all(name).map(({ property }) => valuesOf(property).join(", "))[0]?.trim() ?? ""
  const item = text("summary") || text("uid") || null
  const wrong = (at: number, field: string, error: string) => Result.fail(problemOf({ row: at, field, item, error }))

  const times = (name: string): Result.Result<ReadonlyArray<IcsTime>, ImportProblem> => {
    const found: Array<IcsTime> = []
    for (const { property, row } of all(name)) {
      for (const value of valuesOf(property)) {
        const time = timeOf(value.split("/")[0] ?? "", tzidOf(property), context)
        if (Result.isFailure(time)) return wrong(row, name.toUpperCase(), time.failure)
        if (found.length === MAX_TIMES) return wrong(row, name.toUpperCase(), `must hold at most ${MAX_TIMES} times`)
        found.push(time.success)
      }
    }
    return Result.succeed(found)
  }

  return Result.gen(function*() {
    const [start] = yield* times("dtstart")
    if (start === undefined) return yield* wrong(row, "DTSTART", "is required")
    const [end] = yield* times("dtend")
    const [instead] = yield* times("recurrence-id")
    const [given] = all("duration")
    const duration = given === undefined || end !== undefined ? undefined : durationOf(given.property)
    if (given !== undefined && duration !== undefined && !(duration > 0)) return yield* wrong(given.row, "DURATION", "must be longer than nothing")
    if (end !== undefined && !DateTime.isGreaterThan(end.instant, start.instant)) {
      return yield* wrong(all("dtend")[0]?.row ?? row, "DTEND", "must be after DTSTART: what lasts no time is no work")
    }
    if (end === undefined && duration === undefined && !start.isDate) return yield* wrong(row, "DTEND", "is required, or DURATION: what lasts no time is no work")
    return {
      row,
      uid: text("uid"),
      sequence: Number.parseInt(text("sequence"), 10) || 0,
      summary: text("summary"),
      description: text("description"),
      categories: all("categories").flatMap(({ property }) => valuesOf(property)),
      cancelled: text("status").toUpperCase() === "CANCELLED",
      declined: new Set(all("attendee").filter(({ property }) => String(property.getParameter("partstat") ?? "").toUpperCase() === "DECLINED").map(({ property }) => addressOf(property))),
      start,
      end,
      duration,
      rules: all("rrule").map(({ property }) => String(property.getFirstValue() ?? "")),
      added: yield* times("rdate"),
      excepted: yield* times("exdate"),
      instead,
      onwards: all("recurrence-id").some(({ property }) => String(property.getParameter("range") ?? "").toUpperCase() === "THISANDFUTURE")
    }
  })
}

const tzidOf = (property: ICAL.Property): string | undefined => {
  const tzid: unknown = property.getParameter("tzid")
  return typeof tzid === "string" && tzid !== "" ? tzid : undefined
}

const addressOf = (property: ICAL.Property): string => (valuesOf(property)[0] ?? "").replace(/^mailto:/i, "").trim().toLowerCase()

/** Milliseconds; NaN where it is none. */
const durationOf = (property: ICAL.Property): number =>
  Result.getOrElse(Result.try(() => ICAL.Duration.fromString(valuesOf(property)[0] ?? "").toSeconds() * 1_000), () => Number.NaN)

const summaryOf = (lines: IcsBlock["lines"]): string | null =>
  lines.map(({ text }) => /^SUMMARY(?:;[^:]*)?:(.*)$/i.exec(text)?.[1]).find((found) => found !== undefined) ?? null
