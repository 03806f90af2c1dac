/**
 * The occurrences of an event within a period. Rules are expanded on the wall's clock, as they are meant, and every step is counted: a
 * rule that recurs too often, or never, ends with a problem instead of keeping the worker.
 */
import { DateTime, Result } from "effect"
import ICAL from "ical.js"
import { dayOf, type IcsTime, inZone, type TimeContext, timeOf } from "./IcsTimes.ts"
import { wallTime } from "./IcsZones.ts"

/** Of one event, within the period. */
export const MAX_OCCURRENCES = 1_000

/** Steps of all rules of one file. */
export interface StepBudget {
  left: number
}

export const stepBudget = (): StepBudget => ({ left: 150_000 })
/** Of one rule: a daily one needs as many for 80 years. */
const MAX_STEPS = 30_000
/** Seconds by which a wall's clock may be ahead of UTC, or behind it. */
const FARTHEST = 86_400

export interface Occurrences {
  readonly times: ReadonlyArray<IcsTime>
  /** Why there are no more of them. */
  readonly problem: string | undefined
}

export const expand = (rule: string, start: IcsTime, before: DateTime.Utc, from: DateTime.Utc, context: TimeContext, budget: StepBudget): Occurrences => {
  const times: Array<IcsTime> = []
  const ended = Result.try({
    try: () => {
      const { recur, until } = parseRule(rule, context)
      const iterator = counted(recur, wallTime(start.wall), budget)
      const earliest = DateTime.toEpochMillis(from) / 1_000 - FARTHEST
      for (let next = iterator.next(); next; next = iterator.next()) {
        if (next.toUnixTime() < earliest) continue
        const at = Result.getOrUndefined(inZone({ year: next.year, month: next.month, day: next.day, hour: next.hour, minute: next.minute, second: next.second }, start))
        if (at === undefined || !DateTime.isLessThan(at.instant, before) || (until !== undefined && isAfter(at, until))) return undefined
        if (DateTime.isLessThan(at.instant, from)) continue
        if (times.length === MAX_OCCURRENCES) return `recurs more than ${MAX_OCCURRENCES} times within the period: the others are left out`
        times.push(at)
      }
      return undefined
    },
    catch: (error) => error instanceof TooManySteps ? error.message : "is not a rule of recurrence that can be followed"
  })
  return { times, problem: Result.merge(ended) }
}

/** Thrown into the iterator, which has no other end. */
class TooManySteps extends Error {
  constructor() {
    super("recurs so often, or so rarely, that its occurrences cannot be found")
  }
}

const parseRule = (rule: string, context: TimeContext) => {
  const until = /(?:^|;)UNTIL=([^;]*)/i.exec(rule)?.[1]
  const recur = ICAL.Recur.fromString(rule.replace(/(^|;)UNTIL=[^;]*/i, "$1").replace(/^;+|;+$/g, "").replace(/;;+/g, ";"))
  // "must be positive": the library would go nowhere, or backwards.
  if (!(recur.interval >= 1)) throw new Error("INTERVAL")
  return { recur, until: until === undefined ? undefined : Result.getOrThrow(timeOf(until, undefined, context)) }
}

/** UNTIL belongs to the occurrences; a day does with all its times. */
const isAfter = (at: IcsTime, until: IcsTime): boolean =>
  until.isDate || at.isDate ? dayOf(at) > dayOf(until) : DateTime.isGreaterThan(at.instant, until.instant)

const counted = (rule: ICAL.Recur, dtstart: ICAL.Time, budget: StepBudget): ICAL.RecurIterator => {
  let steps = 0
  const step = (cost: number) => {
    steps += cost
    budget.left -= cost
    if (steps > MAX_STEPS || budget.left < 0) throw new TooManySteps()
  }
  // Whatever the library looks for, it asks for one of these between two candidates.
  class Counted extends ICAL.RecurIterator {
    override check_contracting_rules(): boolean {
      step(1)
      return super.check_contracting_rules()
    }
    override increment_month(): void {
      step(1)
      super.increment_month()
    }
    override increment_year(inc: number): void {
      step(20)
      super.increment_year(inc)
    }
  }
  return new Counted({ rule, dtstart })
}
