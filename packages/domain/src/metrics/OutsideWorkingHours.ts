/**
 * Time outside working hours. A moment lies within them where the clock on the wall, in the user's zone, shows a time of one of the
 * weekday's intervals: an hour that comes twice counts twice, one that is skipped is nobody's. The minutes of an entry run from its
 * start on without a break, and count where they lie, over midnight too; the entry itself belongs to the day in which it starts.
 */
import type { LocalClock, Placed } from "../facts/LocalTime.ts"
import { weekdayOf } from "../facts/LocalTime.ts"
import { type WorkingHours, weekdays } from "../users/WorkingHours.ts"
import type { Measured } from "./ActivityGroups.ts"

export interface OutsideWorkingHours {
  readonly minutes: number
  /** That have some of these minutes. */
  readonly entries: number
  /** Percent of all minutes, 0..100; 0 of nothing. */
  readonly share: number
}

type Timed = Placed<Pick<Measured, "duration_minutes">>

export const outsideWorkingHours = (placed: ReadonlyArray<Timed>, hours: WorkingHours, clock: LocalClock): OutsideWorkingHours => {
  const outside = partsOutside(placed, hours, clock)
  const total = sum(placed.map(({ entry }) => entry.duration_minutes))
  const minutes = sum(outside.map(({ millis }) => millis)) / MINUTE_MS
  return { minutes, entries: outside.length, share: total === 0 ? 0 : minutes / total * 100 }
}

/** Of the entries that have some, how much. */
export const partsOutside = <One extends Timed>(
  placed: ReadonlyArray<One>,
  hours: WorkingHours,
  clock: LocalClock
): ReadonlyArray<{ readonly one: One; readonly millis: number }> => {
  const days = weekdays.map((weekday) => hours[weekday].map(({ end, start }) => ({ from: millisOf(start), to: millisOf(end) })))
  return placed.flatMap((one) => {
    const length = one.entry.duration_minutes * MINUTE_MS
    const millis = length - sum(clock.stretches(one.start, one.start + length).map(({ from, to }) => withinHours(from, to, days)))
    return millis > 0 ? [{ one, millis }] : []
  })
}

interface Span {
  readonly from: number
  readonly to: number
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Since midnight. */
const millisOf = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * MINUTE_MS

/** Of a stretch of local milliseconds, those that lie in the intervals of their days. */
const withinHours = (from: number, to: number, days: ReadonlyArray<ReadonlyArray<Span>>): number => {
  let within = 0
  for (let day = Math.floor(from / DAY_MS); day * DAY_MS < to; day++) {
    for (const interval of days[weekdayOf(day) - 1] ?? []) {
      within += Math.max(0, Math.min(to, day * DAY_MS + interval.to) - Math.max(from, day * DAY_MS + interval.from))
    }
  }
  return within
}

const sum = (parts: ReadonlyArray<number>): number => parts.reduce((total, part) => total + part, 0)
