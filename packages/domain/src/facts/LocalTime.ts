/**
 * Which local day and hour an instant belongs to. An entry belongs whole to the local day and hour in which it starts,
 * so this is the only place where a time zone meets the facts.
 */
import { DateTime, Option } from "effect"
import type { FactEntry } from "./Fact.ts"

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** `day` counts days since 1970-01-01 in the zone, `hour` is 0..23, `weekday` is ISO (1 = Monday … 7 = Sunday). */
export interface LocalTime {
  readonly day: number
  readonly hour: number
  readonly weekday: number
}

/** An entry, or what of it is asked for, with the local time of its start. */
export interface Placed<Entry> {
  readonly entry: Entry
  readonly start: number
  readonly local: LocalTime
}

export type PlacedEntry = Placed<FactEntry>

export interface LocalClock {
  /** The zone in force: the one asked for, or UTC where no such zone exists. */
  readonly timezone: string
  readonly at: (epochMillis: number) => LocalTime
  /** Minutes since local midnight by the clock on the wall, 0..1439. */
  readonly minuteOfDay: (epochMillis: number) => number
  /** The time from one instant to another as local milliseconds since 1970, cut where the clock on the wall is set. */
  readonly stretches: (from: number, to: number) => ReadonlyArray<LocalStretch>
}

/** Half-open. */
export interface LocalStretch {
  readonly from: number
  readonly to: number
}

/**
 * Offsets are looked up once per UTC day: a day that begins and ends on the same offset has that offset throughout
 * (no zone changes twice within a day), every other day is asked instant by instant. An unknown zone counts as UTC.
 */
export const makeLocalClock = (timezone: string): LocalClock => {
  const zone = DateTime.zoneMakeNamed(timezone)
  if (Option.isNone(zone)) return { timezone: "UTC", at: fromLocalMillis, minuteOfDay: wallMinute, stretches: (from, to) => [{ from, to }] }
  const offsetAt = (millis: number) => DateTime.zonedOffset(DateTime.makeZonedUnsafe(millis, { timeZone: zone.value }))
  const byDay = new Map<number, number | null>()
  const offset = (millis: number): number => {
    const day = Math.floor(millis / DAY_MS)
    let known = byDay.get(day)
    if (known === undefined) {
      const first = offsetAt(day * DAY_MS)
      known = first === offsetAt((day + 1) * DAY_MS) ? first : null
      byDay.set(day, known)
    }
    return known ?? offsetAt(millis)
  }
  return {
    timezone,
    at: (millis) => fromLocalMillis(millis + offset(millis)),
    minuteOfDay: (millis) => wallMinute(millis + offset(millis)),
    stretches: (from, to) => {
      const cuts = [from]
      for (let midnight = (Math.floor(from / DAY_MS) + 1) * DAY_MS; midnight < to; midnight += DAY_MS) cuts.push(midnight)
      return [...cuts, to].flatMap((end, index) => {
        const begin = cuts[index - 1]
        return begin === undefined ? [] : begin === end ? [] : splitAtChange(begin, end, offset)
      })
    }
  }
}

/** Within a UTC day, in which the clock is set once at most. */
const splitAtChange = (from: number, to: number, offset: (millis: number) => number): ReadonlyArray<LocalStretch> => {
  const [first, last] = [offset(from), offset(to - 1)]
  if (first === last) return [{ from: from + first, to: to + first }]
  let [before, after] = [from, to - 1]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offset(middle) === first) before = middle
    else after = middle
  }
  return [{ from: from + first, to: after + first }, { from: after + last, to: to + last }]
}

const wallMinute = (local: number): number => Math.floor((((local % DAY_MS) + DAY_MS) % DAY_MS) / 60_000)

const fromLocalMillis = (local: number): LocalTime => {
  const day = Math.floor(local / DAY_MS)
  return { day, hour: Math.floor((local - day * DAY_MS) / HOUR_MS), weekday: weekdayOf(day) }
}

/** 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1

/** `YYYY-MM-DD` of a day counted since 1970-01-01. */
export const isoDate = (day: number): string => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(day * DAY_MS))

/** In the order of their start; entries that start together keep the order of their ids, so that the result is stable. */
export const placeEntries = (entries: ReadonlyArray<FactEntry>, clock: LocalClock): ReadonlyArray<PlacedEntry> =>
  entries
    .map((entry) => {
      const start = DateTime.toEpochMillis(entry.start_time)
      return { entry, start, local: clock.at(start) }
    })
    .sort((a, b) => a.start - b.start || (a.entry.id < b.entry.id ? -1 : a.entry.id > b.entry.id ? 1 : 0))

/** First and last local day (`YYYY-MM-DD`) on which entries start; undefined without entries. */
export const localDaysOf = (
  entries: ReadonlyArray<FactEntry>,
  timezone: string
): { readonly first: string; readonly last: string } | undefined => {
  if (entries.length === 0) return undefined
  const clock = makeLocalClock(timezone)
  const days = entries.map((entry) => clock.at(DateTime.toEpochMillis(entry.start_time)).day)
  return { first: isoDate(Math.min(...days)), last: isoDate(Math.max(...days)) }
}
