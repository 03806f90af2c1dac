/**
 * What an import found in another system: something that was done, as a proposal for an entry. Whatever the source, this is the
 * one form in which it reaches the inbox (docs/decisions/0036).
 */
import { DateTime, Duration, Schema } from "effect"
import { ActivityType, ImpactLevel } from "../entries/LogEntry.ts"

/** Where an item comes from: part of its name, and shown with the entry that it becomes. */
export const ImportSystem = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9_]{0,29}$/, { expected: "a lower-case name of a system" }))
export type ImportSystem = typeof ImportSystem.Type

/** Lengths of titles, descriptions and so on are those of entries: longer ones are cut by whoever reads the source. */
export const ImportedText = (max: number) =>
  Schema.String.check(Schema.makeFilter<string>((value) =>
    value.length > 2 * max
      ? `must be at most ${max} characters long`
      : value.includes("\u0000") || !value.isWellFormed()
      ? "must hold no NUL and no half of a surrogate pair"
      : undefined
  ))

const first = DateTime.makeUnsafe("1900-01-01T00:00:00Z")
const end = DateTime.makeUnsafe("2200-01-01T00:00:00Z")

const Time = Schema.DateTimeUtcFromString.check(
  Schema.makeFilter<DateTime.Utc>((at) =>
    DateTime.isLessThan(at, first) || !DateTime.isLessThan(at, end) ? "must lie between the years 1900 and 2199" : undefined
  )
)

export const ImportedItem = Schema.Struct({
  source: ImportSystem,
  /** Never changes there: the UID of an event, the number of an issue. */
  external_id: Schema.NonEmptyString.check(Schema.isMaxLength(1_000)),
  /** Tells apart what shares the id: one occurrence of a series. Empty where nothing does. */
  occurrence: Schema.String.check(Schema.isMaxLength(100)),
  /** Cancelled, declined or deleted there. */
  removed: Schema.Boolean,
  title: ImportedText(200),
  description: Schema.NullOr(ImportedText(2_000)),
  start_time: Time,
  end_time: Time,
  /** From the begin of a local day to the end of one: it says nothing about when work was done. */
  all_day: Schema.Boolean,
  type: ActivityType,
  impact_level: ImpactLevel,
  tags: Schema.Array(ImportedText(50)).check(Schema.isMaxLength(50)),
  /** Name of a project there. */
  project: Schema.NullOr(ImportedText(200))
}).check(Schema.makeFilter(({ end_time, start_time }: { readonly start_time: DateTime.Utc; readonly end_time: DateTime.Utc }) =>
  DateTime.isGreaterThan(end_time, start_time) ? undefined : { path: ["end_time"], issue: "must be after start_time" }
))
export type ImportedItem = typeof ImportedItem.Type

/** What could not be read, where it stands, and why. */
export const ImportProblem = Schema.Struct({
  /** Place in `calendar_data`, from 0. */
  index: Schema.NullOr(Schema.Int),
  /** Line of a file, from 1. */
  row: Schema.NullOr(Schema.Int),
  field: Schema.NullOr(ImportedText(100)),
  /** What it is called in the source. */
  item: Schema.NullOr(ImportedText(200)),
  error: ImportedText(1_000)
}).annotate({ identifier: "ImportProblem" })
export type ImportProblem = typeof ImportProblem.Type

/** What lasts for longer says when something was the case, not when somebody worked: it needs times before it becomes an entry. */
export const longestSitting = Duration.hours(24)

export const needsTimes = (item: Pick<ImportedItem, "all_day" | "start_time" | "end_time">): boolean =>
  item.all_day || Duration.isGreaterThan(DateTime.distance(item.start_time, item.end_time), longestSitting)
