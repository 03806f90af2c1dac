/**
 * Instants and local days on the wire. An instant always says its zone; a day never has one: the user's zone decides.
 */
import { DateTime, Option, Schema, SchemaTransformation } from "effect"

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/

const isDay = (day: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(day) && Option.match(DateTime.make(`${day}T00:00:00Z`), {
    onNone: () => false,
    // 30 February reads as 2 March: only a day that prints as it was written exists.
    onSome: (instant) => DateTime.formatIsoDateUtc(instant) === day
  })

const instantProblem = (text: string): string | undefined => {
  const match = rfc3339.exec(text)
  if (match === null) return "must be an RFC 3339 time with its zone, such as 2026-01-31T09:00:00Z"
  const day = match[1] ?? ""
  return isDay(day) ? outOfRange(day) : `must be a time that exists: there is no ${day}`
}

const dayProblem = (day: string): string | undefined =>
  isDay(day) ? outOfRange(day) : "must be a day that exists, as YYYY-MM-DD"

/** What lies further off is a mistake, and dates of five-digit years are written differently. */
const outOfRange = (day: string): string | undefined =>
  day < "1900-01-01" || day >= "2200-01-01" ? "must lie between the years 1900 and 2199" : undefined

/** RFC 3339 with `Z` or an offset; fractions of a second beyond milliseconds are cut off. */
export const Instant = Schema.String.check(
  Schema.makeFilter<string>(instantProblem, { expected: "an RFC 3339 time with its zone", toJsonSchema: () => [{ format: "date-time" }, true] })
).annotate({ examples: ["2026-01-05T09:00:00Z"] }).pipe(
  Schema.decodeTo(
    Schema.DateTimeUtc,
    SchemaTransformation.transform({
      decode: (text) => DateTime.makeUnsafe(text.toUpperCase()),
      encode: (instant) => DateTime.formatIso(instant)
    })
  )
)

/** Likewise, and kept as it was written: to the microsecond, which is what PostgreSQL has. */
export const InstantText = Schema.String.check(
  Schema.makeFilter<string>(instantProblem, { expected: "an RFC 3339 time with its zone", toJsonSchema: () => [{}, true] })
).annotate({ format: "date-time", examples: ["2026-01-05T09:00:00.123456+00:00"] })

/** `YYYY-MM-DD`, a day that exists. */
export const LocalDate = Schema.String.check(
  Schema.makeFilter<string>(dayProblem, { expected: "a day as YYYY-MM-DD", toJsonSchema: () => [{ format: "date" }, true] })
).annotate({ examples: ["2026-01-05"] })

/** A local day, or an instant, which belongs to the local day that it lies in. As it was written. */
export const DayOrInstant = Schema.String.check(
  Schema.makeFilter<string>((text) => text.length <= "YYYY-MM-DD".length ? dayProblem(text) : instantProblem(text), {
    expected: "a day as YYYY-MM-DD, or an RFC 3339 time with its zone",
    toJsonSchema: () => [{}, true]
  })
).annotate({ examples: ["2026-01-05", "2026-01-05T09:00:00Z"] })

/** Of a period whose ends are both given, the last day is not before the first. */
export const inOrder = <First extends string, Last extends string>(first: First, last: Last) =>
  Schema.makeFilter((period: { readonly [Day in First | Last]?: string | null | undefined }) => {
    const [start, end] = [period[first], period[last]]
    return start != null && end != null && end < start ? { path: [last], issue: `must not be before ${first}` } : undefined
  }, { toJsonSchema: () => [{}, true] })
