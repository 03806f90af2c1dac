/**
 * How far the user's goals were when the period ended, and what was done for them within it. A goal's entries are those that
 * count for it (its types, tags and projects) from its own first day to the last day of the period.
 */
import { percentOf, valueOf } from "../goals/Progress.ts"
import type { GoalMeasure } from "../goals/Goal.ts"
import type { GoalId } from "../Ids.ts"
import { countDays } from "../users/LocalDays.ts"
import type { Fact, FactEntry } from "./Fact.ts"
import { amountText } from "./FactText.ts"
import { minutesOf } from "./GroupFacts.ts"
import { isoDate, type LocalClock, type PlacedEntry, placeEntries } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export interface GoalWork {
  readonly id: GoalId
  readonly title: string
  readonly measure: GoalMeasure
  readonly target: number
  /** Local days, both inclusive. */
  readonly start_date: string
  readonly end_date: string
  /** Those that count, from the goal's first day to the last day of the period. */
  readonly entries: ReadonlyArray<FactEntry>
}

interface Days {
  readonly start: string
  readonly end: string
}

/** The part of a fact id that stands for a goal: its id's first eight digits. */
export const goalSlug = (id: GoalId): string => id.slice(0, 8)

/** The goal's part of `goal.<slug>.<what>`; undefined for any other fact. */
export const goalOfFact = (factId: string): string | undefined => /^goal\.([0-9a-f]{8})\./.exec(factId)?.[1]

/** What the target of a goal is called in its fact's label. */
const TARGET = /^Target of the goal “(.*)”$/s

/** The goal's title, from the label of the fact of its target; empty for any other fact. */
export const goalTitle = (target: Fact): string => TARGET.exec(target.label)?.[1] ?? ""

/** Two goals whose ids begin alike would share a fact id: the later one is left out. */
export const goalFacts = (goals: ReadonlyArray<GoalWork>, period: Days, clock: LocalClock): ReadonlyArray<Fact> => {
  const told = goals.filter((goal, i) => goals.findIndex((other) => goalSlug(other.id) === goalSlug(goal.id)) === i)
  return told.flatMap((goal) => factsOf(goal, period, placeEntries(goal.entries, clock)))
}

const factsOf = (goal: GoalWork, period: Days, all: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const within = all.filter(({ local }) => isoDate(local.day) >= period.start)
  const of = (members: ReadonlyArray<PlacedEntry>) => valueOf(goal.measure, { entries: members.length, minutes: minutesOf(members) })
  const reached = of(all)
  const what = `the goal “${goal.title}”`
  const amount = (name: string, label: string, value: number, on: ReadonlyArray<PlacedEntry>) =>
    makeFact({
      id: `goal.${goalSlug(goal.id)}.${name}`,
      label: `${label} ${what}`,
      value: goal.measure === "hours" ? Math.round(value * 60) : Math.round(value * 100) / 100,
      unit: goal.measure === "hours" ? "minutes" : "count",
      on,
      ...(goal.measure === "hours" ? {} : { text: amountText(value) })
    })
  return [
    amount("target", "Target of", goal.target, []),
    amount("within", "Done within the period for", of(within), within),
    amount("reached", "Done by the end of the period for", reached, all),
    amount("remaining", "Left to be done at the end of the period for", Math.max(0, goal.target - reached), all),
    amount("expected", "Due by the end of the period at an even pace for", expectedBy(goal, period.end), []),
    makeFact({
      id: `goal.${goalSlug(goal.id)}.percent`,
      label: `Share of the target that was reached by the end of the period of ${what}`,
      value: percentOf(reached, goal.target),
      unit: "percent",
      on: all
    })
  ]
}

/** Target × days of the goal that had begun when the period ended / days of the goal. */
const expectedBy = ({ end_date, start_date, target }: GoalWork, last: string): number => {
  const begun = last < start_date ? 0 : countDays(start_date, last < end_date ? last : end_date)
  return target * begun / countDays(start_date, end_date)
}
