/** Seed 004's `calendar_data`: events as JSON, each for itself; one that does not fit is told by its index. */
import { ActivityType } from "@englog/domain/entries/LogEntry"
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Effect, Option, Predicate, Result, type Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import * as ImportSource from "../ImportSource.ts"
import { descriptionOf, problemOf, tagsOf, textOf, titleOf } from "../ImportText.ts"
import { suggestType } from "../SuggestType.ts"

export const calendarData = Effect.succeed(ImportSource.make("calendar_data", ({ events }, { period, resume }) =>
  Stream.suspend(() => {
    const read = events.map((event) => itemOf(event))
    const items = read.flatMap((one) => Result.isSuccess(one) ? [one.success] : [])
    const inside = items.filter((item) => isWithin(item, period))
    const problems = read.flatMap((one, index) => Result.isFailure(one) ? [problemOf({ index, ...one.failure })] : [])
    return ImportSource.paged({ items: inside, problems, skipped: items.length - inside.length }, resume)
  })))

/** An item belongs to the period in which it starts. */
export const isWithin = ({ start_time }: Pick<ImportedItem, "start_time">, period: ImportPeriod | null): boolean =>
  period === null || (!DateTime.isLessThan(start_time, period.from) && DateTime.isLessThan(start_time, period.to))

interface Wrong {
  readonly field?: string
  readonly item?: string
  readonly error: string
}

const wrong = (field: string, error: string, item?: string) => Result.fail<Wrong>({ field, error, ...(item === undefined ? {} : { item }) })

const itemOf = (event: Schema.Json): Result.Result<ImportedItem, Wrong> => {
  if (!Predicate.isObject(event) || Array.isArray(event)) return Result.fail({ error: "must be an object" })
  const text = (field: string): string | undefined => {
    const value: unknown = Reflect.get(event, field)
    return typeof value === "string" ? value : undefined
  }
  const title = text("title")
  if (title === undefined || title.trim() === "") return wrong("title", "is required, as text")
  const start = instantOf(text("start_time"))
  if (start === undefined) return wrong("start_time", NOT_A_TIME, title)
  const end = instantOf(text("end_time"))
  if (end === undefined) return wrong("end_time", NOT_A_TIME, title)
  if (!DateTime.isGreaterThan(end, start)) return wrong("end_time", "must be after start_time", title)
  const type = text("type")
  if (type !== undefined && !isType(type)) return wrong("type", `must be one of ${ActivityType.literals.join(", ")}`, title)
  const tags: unknown = Reflect.get(event, "tags") ?? []
  if (!Array.isArray(tags) || !tags.every(Predicate.isString)) return wrong("tags", "must be a list of texts", title)
  const id = text("id") ?? text("uid")
  return Result.succeed({
    source: "calendar",
    external_id: textOf(id ?? "", 1_000) || digestOf([title, DateTime.formatIso(start), DateTime.formatIso(end)]),
    occurrence: "",
    removed: text("status")?.toLowerCase() === "cancelled",
    title: titleOf(title),
    description: descriptionOf(text("description") ?? ""),
    start_time: start,
    end_time: end,
    all_day: false,
    type: type ?? suggestType(title, "meeting"),
    impact_level: "team",
    tags: tagsOf(tags),
    project: null
  })
}

const isType = (type: string): type is ActivityType => ActivityType.literals.some((literal) => literal === type)

const NOT_A_TIME = "must be an RFC 3339 time with its zone, such as 2026-01-31T09:00:00Z, between the years 1900 and 2199"
const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const instantOf = (text: string | undefined): DateTime.Utc | undefined => {
  const day = rfc3339.exec(text ?? "")?.[1]
  if (day === undefined || day < "1900-01-02" || day >= "2199-12-31") return undefined
  const exists = Option.exists(DateTime.make(`${day}T00:00:00Z`), (instant) => DateTime.formatIsoDateUtc(instant) === day)
  return exists ? Option.getOrUndefined(Option.map(DateTime.make(text?.toUpperCase() ?? ""), DateTime.toUtc)) : undefined
}

/** The name of what has none: the same for the same content. */
export const digestOf = (parts: ReadonlyArray<string>): string =>
  `unnamed-${createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22)}`
