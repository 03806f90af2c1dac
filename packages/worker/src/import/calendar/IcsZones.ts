/**
 * Time zones of a calendar: what TZID means. A name of the IANA database wins, wherever it stands in the name; then a Windows name;
 * then what the file itself defines. A zone that is none of these is nobody's: the event says so.
 */
import { DateTime, Option, Result } from "effect"
import ICAL from "ical.js"
import { windowsZones } from "./WindowsZones.ts"
import type { IcsBlock } from "./IcsText.ts"

/** A time on the wall. */
export interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

export type Zone =
  | { readonly _tag: "Iana"; readonly zone: DateTime.TimeZone }
  | { readonly _tag: "Defined"; readonly zone: ICAL.Timezone }

export interface IcsZones {
  /** The zone of a TZID; why there is none otherwise. */
  readonly find: (tzid: string) => Result.Result<Zone, string>
}

export const utc: Zone = { _tag: "Iana", zone: DateTime.zoneMakeNamedUnsafe("UTC") }

/** UTC where there is no such zone. */
export const zoneNamed = (name: string): Zone =>
  Option.match(DateTime.zoneMakeNamed(name), { onNone: () => utc, onSome: (zone): Zone => ({ _tag: "Iana", zone }) })

/**
 * The instant of a time on the wall. One that a clock skipped counts on from before the gap, the first of two is meant where a clock
 * was put back (RFC 5545, 3.3.5).
 */
export const instantIn = (zone: Zone, wall: WallTime): Result.Result<DateTime.Utc, string> => {
  const asUtc = DateTime.make(wall)
  if (Option.isNone(asUtc)) return Result.fail("must be a time that exists")
  if (zone._tag === "Iana") {
    const zoned = DateTime.makeZoned(asUtc.value, { timeZone: zone.zone, adjustForTimeZone: true, disambiguation: "compatible" })
    return Option.match(zoned, { onNone: () => Result.fail("must be a time that exists"), onSome: (found) => Result.succeed(DateTime.toUtc(found)) })
  }
  const { zone: defined } = zone
  return Result.try({
    try: () => DateTime.subtract(asUtc.value, { seconds: defined.utcOffset(wallTime(wall)) }),
    catch: () => "is in a time zone that the file does not define properly"
  }).pipe(Result.map(DateTime.toUtc))
}

/** On no zone's clock: the library must not compute with any. */
export const wallTime = (wall: WallTime): ICAL.Time => new ICAL.Time({ ...wall, isDate: false }, ICAL.Timezone.localTimezone)

export const zonesOf = (blocks: ReadonlyArray<IcsBlock>): IcsZones => {
  const defined = new Map<string, IcsBlock>()
  for (const block of blocks) {
    const tzid = block.lines.map(({ text }) => /^TZID(?:;[^:]*)?:(.*)$/i.exec(text)?.[1]?.trim()).find((name) => name !== undefined)
    if (tzid !== undefined) defined.set(tzid, block)
  }
  const known = new Map<string, Result.Result<Zone, string>>()
  return {
    find: (tzid) => {
      const name = tzid.trim().replace(/^"|"$/g, "")
      const before = known.get(name)
      if (before !== undefined) return before
      const found = lookUp(name, defined.get(name))
      known.set(name, found)
      return found
    }
  }
}

const lookUp = (name: string, block: IcsBlock | undefined): Result.Result<Zone, string> => {
  // "/citadel.org/20210210_1/Europe/Berlin" and the like end in the name that is meant.
  const endings = name.split("/").map((_, index, parts) => parts.slice(index).join("/")).filter((ending) => ending !== "")
  const iana = [...endings, windowsZones[name] ?? ""].find((ending) => /^[A-Za-z]/.test(ending) && Option.isSome(DateTime.zoneMakeNamed(ending)))
  if (iana !== undefined) return Result.succeed(zoneNamed(iana))
  const own = block === undefined ? undefined : definedBy(block)
  return own === undefined ? Result.fail(`names the time zone ${name}, which does not exist`) : Result.succeed({ _tag: "Defined", zone: own })
}

/** Rules as calendars have them: once a year. Others would have to be expanded without end. */
const SIMPLE = /^RRULE:(?=.*FREQ=YEARLY)(?:(?:FREQ|BYMONTH|BYDAY|BYMONTHDAY|UNTIL|WKST|INTERVAL=1|COUNT)[^;]*(?:;|$))+$/i

const definedBy = ({ lines }: IcsBlock): ICAL.Timezone | undefined => {
  if (lines.length > 500 || lines.some(({ text }) => /^RRULE/i.test(text) && !SIMPLE.test(text))) return undefined
  const text = ["BEGIN:VTIMEZONE", ...lines.map(({ text }) => text), "END:VTIMEZONE"].join("\r\n")
  const made = Result.try(() => {
    const zone = new ICAL.Timezone(new ICAL.Component(ICAL.Component.fromString(text).jCal))
    // Asked once, so that a definition that cannot be used is none.
    return Number.isFinite(zone.utcOffset(wallTime({ year: 2026, month: 1, day: 1, hour: 0, minute: 0, second: 0 }))) ? zone : undefined
  })
  return Result.getOrElse(made, () => undefined)
}
