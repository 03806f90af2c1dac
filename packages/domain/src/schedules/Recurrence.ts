/**
 * When a recurring task is due: a cron expression in an IANA zone.
 *
 * Five fields (minute hour day month weekday), or six with seconds first. Where days and weekdays are both restricted either may
 * match. A local time that summer time leaves out runs once, as much later as the clock was put forward (02:30 becomes 03:30);
 * one that comes twice runs the first time only.
 */
import { Cron, DateTime, Duration, Result, Schema } from "effect"
import { TimeZone } from "../users/TimeZone.ts"

/** What becomes of occurrences that nobody could submit in time: none of them, the latest, or all up to a limit. */
export const CatchUp = Schema.Literals(["skip", "last", "all"])
export type CatchUp = typeof CatchUp.Type

/** How much later than its time an occurrence may be submitted without counting as missed: replicas take over within it. */
export const GRACE = Duration.minutes(1)

/** Occurrences that are caught up at most. */
export const MAX_CATCH_UP = 100

const LENGTH = 200

/** Why it cannot be used, or undefined. */
const problem = (expression: string): string | undefined => {
  if (expression.length > LENGTH) return `must be at most ${LENGTH} characters long`
  const parsed = Cron.parse(expression, "UTC")
  if (Result.isFailure(parsed)) return `must be a cron expression of 5 or 6 fields, such as 0 9 * * MON: ${parsed.failure.message}`
  return Result.isFailure(nextAfter(parsed.success, DateTime.makeUnsafe(0))) ? "never fires: no month has such a day" : undefined
}

export const CronExpression = Schema.String.check(
  Schema.makeFilter<string>(problem, { expected: "a cron expression", toJsonSchema: () => [{ minLength: 9, maxLength: LENGTH }, true] })
).annotate({ examples: ["0 9 * * MON", "*/15 8-18 * * MON-FRI"] })

export const ScheduleZone = TimeZone

export const parse = (expression: string, zone: string) => Cron.parse(expression, zone)

/** The first occurrence after an instant; fails where there is none. */
export const nextAfter = (cron: Cron.Cron, instant: DateTime.Utc): Result.Result<DateTime.Utc, unknown> =>
  Result.try(() => DateTime.fromDateUnsafe(Cron.next(cron, instant)))

export interface Due {
  /** To be submitted now, oldest first. */
  readonly occurrences: ReadonlyArray<DateTime.Utc>
  /** The first one that is still to come. */
  readonly next: DateTime.Utc
}

/**
 * What is due at `now` of a recurrence whose next occurrence was `first`. Those of the last minute always are; of the older
 * ones, which were missed: `skip` none, `last` the latest if nothing else is due, `all` the newest `limit`.
 */
export const dueAt = (
  cron: Cron.Cron,
  first: DateTime.Utc,
  now: DateTime.Utc,
  { catch_up, catch_up_limit }: { readonly catch_up: CatchUp; readonly catch_up_limit: number }
): Result.Result<Due, unknown> =>
  Result.map(nextAfter(cron, now), (next) => {
    const late = DateTime.subtractDuration(now, GRACE)
    const all = between(cron, first, now)
    const onTime = all.filter((at) => DateTime.isGreaterThanOrEqualTo(at, late))
    const missed = all.slice(0, all.length - onTime.length)
    const caughtUp = catch_up === "all" ? missed.slice(-catch_up_limit) : catch_up === "last" && onTime.length === 0 ? missed.slice(-1) : []
    return { occurrences: [...caughtUp, ...onTime], next }
  })

/** More than are ever wanted: one each second of the grace, and all that may be caught up. */
const ENOUGH = 61 + MAX_CATCH_UP

/** The occurrences from `first` to `now`: all of them, or the newest `ENOUGH`, oldest first. */
const between = (cron: Cron.Cron, first: DateTime.Utc, now: DateTime.Utc): ReadonlyArray<DateTime.Utc> => {
  const found: Array<DateTime.Utc> = []
  let at = first
  while (DateTime.isLessThanOrEqualTo(at, now) && found.length <= ENOUGH) {
    found.push(at)
    at = DateTime.fromDateUnsafe(Cron.next(cron, at))
  }
  return found.length <= ENOUGH ? found : newest(cron, first, now)
}

const newest = (cron: Cron.Cron, first: DateTime.Utc, now: DateTime.Utc): ReadonlyArray<DateTime.Utc> => {
  const found: Array<DateTime.Utc> = []
  let at = DateTime.fromDateUnsafe(Cron.prev(cron, DateTime.add(now, { milliseconds: 1 })))
  while (DateTime.isGreaterThanOrEqualTo(at, first) && found.length < ENOUGH) {
    found.push(at)
    at = DateTime.fromDateUnsafe(Cron.prev(cron, at))
  }
  return found.toReversed()
}
