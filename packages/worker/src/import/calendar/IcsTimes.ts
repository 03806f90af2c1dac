/** Dates and times of iCalendar properties. */
import { DateTime, Option, Result } from "effect"
import type ICAL from "ical.js"
import { type IcsZones, instantIn, utc, type WallTime, type Zone } from "./IcsZones.ts"

/** A day, or a time in a zone. */
export interface IcsTime {
  readonly isDate: boolean
  readonly wall: WallTime
  readonly zone: Zone
  readonly instant: DateTime.Utc
}

export interface TimeContext {
  readonly zones: IcsZones
  /** Of days, and of times that name no zone. */
  readonly floating: Zone
}

const FORM = /^(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2}):?(\d{2}):?(\d{2})?(Z)?)?$/i

/** Every value of a property, as text: jCal keeps them as they stand, or with its own punctuation. Of a period, its begin. */
export const valuesOf = (property: ICAL.Property): ReadonlyArray<string> =>
  property.toJSON().slice(3).map((value: unknown) => String(Array.isArray(value) ? value[0] : value))

export const timeOf = (text: string, tzid: string | undefined, { floating, zones }: TimeContext): Result.Result<IcsTime, string> => {
  const [, year, month, day, hour, minute, second, z] = FORM.exec(text.trim()) ?? []
  if (day === undefined) return Result.fail("must be an iCalendar date or time, such as 20260131 or 20260131T090000Z")
  const wall = { year: Number(year), month: Number(month), day: Number(day), hour: Number(hour ?? 0), minute: Number(minute ?? 0), second: Math.min(59, Number(second ?? 0)) }
  if (!exists(wall)) return Result.fail(`must be a time that exists: there is no ${text.trim()}`)
  const isDate = hour === undefined
  const zone = isDate ? Result.succeed(floating) : z !== undefined ? Result.succeed(utc) : tzid === undefined ? Result.succeed(floating) : zones.find(tzid)
  return Result.flatMap(zone, (zone) => Result.map(instantIn(zone, wall), (instant) => ({ isDate, wall, zone, instant })))
}

export const inZone = (wall: WallTime, like: IcsTime): Result.Result<IcsTime, string> =>
  Result.map(instantIn(like.zone, wall), (instant) => ({ ...like, wall, instant }))

/** The day, as it stands. */
export const dayOf = ({ wall }: Pick<IcsTime, "wall">): string =>
  `${String(wall.year).padStart(4, "0")}-${String(wall.month).padStart(2, "0")}-${String(wall.day).padStart(2, "0")}`

/** Seconds of the wall's clock. */
export const wallSeconds = (wall: WallTime): number => Option.match(DateTime.make(wall), { onNone: () => Number.NaN, onSome: (at) => DateTime.toEpochMillis(at) / 1_000 })

export const wallAt = (seconds: number): WallTime => {
  const { day, hour, minute, month, second, year } = DateTime.toPartsUtc(DateTime.makeUnsafe(seconds * 1_000))
  return { year, month, day, hour, minute, second }
}

const exists = (wall: WallTime): boolean =>
  wall.month >= 1 && wall.month <= 12 && wall.day >= 1 && wall.hour <= 23 && wall.minute <= 59 &&
  Option.exists(DateTime.make(wall), (at) => {
    const parts = DateTime.toPartsUtc(at)
    return parts.day === wall.day && parts.month === wall.month && parts.year === wall.year
  })
