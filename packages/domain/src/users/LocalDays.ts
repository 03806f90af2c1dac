/**
 * Local days as instants. A day is what its user's zone says: 23, 24 or 25 hours long.
 */
import { DateTime, Duration, Schema } from "effect"

/** 30 February reads as 2 March: only a day that prints as it was written exists. */
const isDay = (day: string): boolean =>
  /^(19|20|21)\d{2}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(`${day}T00:00:00Z`))
  && DateTime.formatIsoDateUtc(DateTime.makeUnsafe(`${day}T00:00:00Z`)) === day

/** `YYYY-MM-DD`, a day that exists. */
export const LocalDay = Schema.String.check(Schema.makeFilter<string>(
  (day) => isDay(day) ? undefined : "must be a day that exists, as YYYY-MM-DD, between the years 1900 and 2199",
  { expected: "a day as YYYY-MM-DD", toJsonSchema: () => [{ pattern: "^\\d{4}-\\d{2}-\\d{2}$" }, true] }
))

/** Half-open: `from` belongs to it, `to` does not. */
export interface Period {
  readonly from: DateTime.Utc
  readonly to: DateTime.Utc
}

/** The instant at which a local day (`YYYY-MM-DD`) begins; an unknown zone counts as UTC. */
export const startOfLocalDay = (day: string, timezone: string): DateTime.Utc => {
  const utc = DateTime.makeUnsafe(`${day}T00:00:00Z`)
  const zone = DateTime.zoneMakeNamed(timezone)
  return zone._tag === "None"
    ? utc
    : DateTime.toUtc(DateTime.makeZonedUnsafe(utc, { timeZone: zone.value, adjustForTimeZone: true }))
}

/** `YYYY-MM-DD`, `days` later (or earlier). */
export const addDays = (day: string, days: number): string =>
  DateTime.formatIsoDateUtc(DateTime.add(DateTime.makeUnsafe(`${day}T00:00:00Z`), { days }))

/** Whole days from the first to the last, both counted. */
export const countDays = (first: string, last: string): number =>
  Math.round(Duration.toDays(DateTime.distance(DateTime.makeUnsafe(`${first}T00:00:00Z`), DateTime.makeUnsafe(`${last}T00:00:00Z`)))) + 1

/** From the first local day to the last, both inclusive. */
export const localPeriod = (first: string, last: string, timezone: string): Period => ({
  from: startOfLocalDay(first, timezone),
  to: startOfLocalDay(addDays(last, 1), timezone)
})

/** The period of the same number of local days just before. */
export const precedingPeriod = (first: string, last: string, timezone: string): Period =>
  localPeriod(addDays(first, -countDays(first, last)), addDays(first, -1), timezone)

/** The local day (`YYYY-MM-DD`) of an instant; an unknown zone counts as UTC. */
export const localDayOf = (instant: DateTime.Utc, timezone: string): string => {
  const zone = DateTime.zoneMakeNamed(timezone)
  return zone._tag === "None"
    ? DateTime.formatIsoDateUtc(instant)
    : DateTime.formatIsoDate(DateTime.makeZonedUnsafe(instant, { timeZone: zone.value }))
}
