/** How far a goal is: from what its entries come to and the user's local day. */
import { hoursOf } from "../projects/ProjectStats.ts"
import { countDays } from "../users/LocalDays.ts"
import type { GoalMeasure, GoalStatus, Progress } from "./Goal.ts"

export interface Measured {
  readonly entries: number
  readonly minutes: number
}

interface Target {
  readonly measure: GoalMeasure
  readonly target: number
  readonly start_date: string
  readonly end_date: string
}

export const valueOf = (measure: GoalMeasure, { entries, minutes }: Measured): number => measure === "hours" ? hoursOf(minutes) : entries

/** Rounded down, so that 100 is told of what is reached only. */
export const percentOf = (value: number, target: number): number => Math.floor(Math.round(value * 100) / Math.round(target * 100) * 1_000) / 10

/** `today`: the user's local day, `YYYY-MM-DD`. */
export const progressOf = (goal: Target, measured: Measured, today: string): Progress => {
  const value = valueOf(goal.measure, measured)
  const expected = rounded(goal.target * daysBegun(goal, today) / countDays(goal.start_date, goal.end_date))
  return {
    value,
    remaining: rounded(Math.max(0, goal.target - value)),
    percent: percentOf(value, goal.target),
    expected,
    on_track: value >= expected,
    status: statusOf(goal, value, today)
  }
}

const daysBegun = ({ end_date, start_date }: Target, today: string): number =>
  today < start_date ? 0 : countDays(start_date, today < end_date ? today : end_date)

const statusOf = ({ end_date, start_date, target }: Target, value: number, today: string): GoalStatus =>
  value >= target ? "achieved" : today < start_date ? "upcoming" : today <= end_date ? "active" : "missed"

const rounded = (value: number): number => Math.round(value * 100) / 100
