/**
 * Entries in, facts out: everything an insight may state about them. Pure, and the same for the same input in any order.
 */
import { DateTime, Option } from "effect"
import { productivityMetrics } from "../metrics/ProductivityMetrics.ts"
import { breakdownFacts } from "./BreakdownFacts.ts"
import { calendarFacts } from "./CalendarFacts.ts"
import { comparisonFacts } from "./ComparisonFacts.ts"
import { FactSheet } from "./Fact.ts"
import type { FactEntry } from "./Fact.ts"
import { focusFacts } from "./FocusFacts.ts"
import { minutesOf } from "./GroupFacts.ts"
import { goalFacts, type GoalWork } from "./GoalFacts.ts"
import { highlightFacts } from "./HighlightFacts.ts"
import { isoDate, makeLocalClock, placeEntries } from "./LocalTime.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { metricFacts } from "./MetricFacts.ts"
import { outsideFacts } from "./OutsideFacts.ts"
import { totalFacts } from "./TotalFacts.ts"
import type { WorkingHours } from "../users/WorkingHours.ts"

export interface FactsInput {
  readonly entries: ReadonlyArray<FactEntry>
  /** Entries of the period before; empty where there is none. */
  readonly preceding: ReadonlyArray<FactEntry>
  /** Goals that are to be told of; none unless given. */
  readonly goals?: ReadonlyArray<GoalWork> | undefined
  /** The user's; where they have set none, nothing lies outside. */
  readonly working_hours?: WorkingHours | null | undefined
  /** IANA name; one that does not exist counts as UTC, and the sheet says UTC. */
  readonly timezone: string
  /** Local days `YYYY-MM-DD`, both inclusive. Names the period and does not filter; without it the entries' own days count. */
  readonly period?: { readonly start: string; readonly end: string } | undefined
}

/** Without entries the sheet has no facts and no metrics; without a period either, its period is two empty strings. */
export const computeFacts = (input: FactsInput): FactSheet => {
  const clock = makeLocalClock(input.timezone)
  const placed = placeEntries(input.entries, clock)
  const metrics = productivityMetrics(placed)
  const [first, last] = periodOf(placed, input.period)
  const total = minutesOf(placed)
  return new FactSheet({
    period_start: first?.date ?? "",
    period_end: last?.date ?? "",
    timezone: clock.timezone,
    metrics,
    facts: metrics === null || first === undefined || last === undefined ? [] : [
      ...totalFacts(placed, { first: first.day, last: last.day }),
      ...metricFacts(placed, metrics),
      ...breakdownFacts(placed, total),
      ...highlightFacts(placed),
      ...focusFacts(placed),
      ...calendarFacts(placed, total),
      ...(input.working_hours ? outsideFacts(placed, input.working_hours, clock) : []),
      ...comparisonFacts(placed, placeEntries(input.preceding, clock)),
      ...goalFacts(input.goals ?? [], { start: first.date, end: last.date }, clock)
    ]
  }, { disableChecks: true })
}

interface Day {
  readonly date: string
  readonly day: number
}

const DAY_MS = 86_400_000

const periodOf = (
  placed: ReadonlyArray<PlacedEntry>,
  period: { readonly start: string; readonly end: string } | undefined
): readonly [Day | undefined, Day | undefined] =>
  period === undefined
    ? [dayOf(placed[0]), dayOf(placed.at(-1))]
    : [dayFrom(period.start) ?? dayOf(placed[0]), dayFrom(period.end) ?? dayOf(placed.at(-1))]

const dayOf = (one: PlacedEntry | undefined): Day | undefined =>
  one === undefined ? undefined : { date: isoDate(one.local.day), day: one.local.day }

const dayFrom = (date: string): Day | undefined =>
  /^\d{4}-\d{2}-\d{2}$/.test(date)
    ? Option.match(DateTime.make(`${date}T00:00:00Z`), {
      onNone: () => undefined,
      onSome: (at) => ({ date, day: Math.floor(DateTime.toEpochMillis(at) / DAY_MS) })
    })
    : undefined
