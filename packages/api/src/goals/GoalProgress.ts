/**
 * How far goals are, from the entries as they are now. Whoever writes about somebody's goals (the insight category "Goal Progress"
 * of seed 004) asks here, so that all figures are the same.
 */
import { Goal, type GoalWeek } from "@englog/domain/goals/Goal"
import { percentOf, progressOf, valueOf } from "@englog/domain/goals/Progress"
import type { EntryId, UserId } from "@englog/domain/Ids"
import { localDayOf, localPeriod } from "@englog/domain/users/LocalDays"
import { weeksWithin } from "@englog/domain/users/LocalWeeks"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { withEtag } from "../http/EntityTag.ts"
import { GoalRepo, type Overlapping, type StoredGoal } from "./GoalRepo.ts"

/** Whose goals, and the zone of their days. */
export interface GoalOwner {
  readonly id: UserId
  readonly timezone: string
}

/** A goal, and the entries that count for it from its own first day to the last one of the period that was asked for. */
export interface GoalInPeriod {
  readonly goal: StoredGoal
  /** Oldest first. */
  readonly entry_ids: ReadonlyArray<EntryId>
}

export class GoalProgress extends Context.Service<GoalProgress, {
  /** In the order given. */
  readonly of: (owner: GoalOwner, goals: ReadonlyArray<StoredGoal>) => Effect.Effect<ReadonlyArray<Goal>, SqlError>
  /** Goals whose own period has a day of this one, newest first; both days inclusive. */
  readonly inPeriod: (owner: GoalOwner, period: Overlapping) => Effect.Effect<ReadonlyArray<GoalInPeriod>, SqlError>
  /** Every week of the goal's period up to the present one. */
  readonly history: (owner: GoalOwner, goal: StoredGoal) => Effect.Effect<ReadonlyArray<GoalWeek>, SqlError>
}>()("@englog/api/goals/GoalProgress") {
  static readonly layer: Layer.Layer<GoalProgress, never, GoalRepo> = Layer.effect(
    GoalProgress,
    Effect.gen(function*() {
      const repo = yield* GoalRepo

      const today = (owner: GoalOwner) => Effect.map(DateTime.now, (now) => localDayOf(now, owner.timezone))

      const withProgress = Effect.fn("GoalProgress.of")(function*(owner: GoalOwner, goals: ReadonlyArray<StoredGoal>) {
        const day = yield* today(owner)
        const measured = yield* repo.measure(owner.id, goals.map(({ end_date, id, start_date }) => ({
          goal: id,
          ...localPeriod(start_date, end_date, owner.timezone)
        })))
        return goals.map((goal, index) => {
          const { micros: _, ...fields } = goal
          return new Goal(withEtag({ ...fields, progress: progressOf(goal, measured[index] ?? nothing, day) }))
        })
      })

      return GoalProgress.of({
        of: withProgress,
        inPeriod: Effect.fn("GoalProgress.inPeriod")(function*(owner, { first, last }) {
          const filter = { overlapping: Option.some({ first, last }), project_id: Option.none(), after: Option.none() }
          const goals = yield* repo.list(owner.id, filter, MOST)
          const counted = yield* repo.counted(owner.id, goals.map(({ end_date, id, start_date }) => ({
            goal: id,
            ...localPeriod(start_date, end_date < last ? end_date : last, owner.timezone)
          })))
          return goals.map((goal, index) => ({ goal, entry_ids: counted[index] ?? [] }))
        }),
        history: Effect.fn("GoalProgress.history")(function*(owner, goal) {
          const day = yield* today(owner)
          const weeks = weeksWithin(goal).filter(({ start_date }) => start_date <= day)
          const measured = yield* repo.measure(owner.id, weeks.map(({ end_date, start_date }) => ({
            goal: goal.id,
            ...localPeriod(start_date, end_date, owner.timezone)
          })))
          return weeks.map((week, index) => {
            const done = valueOf(goal.measure, sumOf(measured.slice(0, index + 1)))
            return { ...week, value: valueOf(goal.measure, measured[index] ?? nothing), cumulative: done, percent: percentOf(done, goal.target) }
          })
        })
      })
    })
  )
}

/** As many as anybody can have. */
const MOST = 1_000

const nothing = { entries: 0, minutes: 0 }

const sumOf = (parts: ReadonlyArray<typeof nothing>) =>
  parts.reduce((sum, { entries, minutes }) => ({ entries: sum.entries + entries, minutes: sum.minutes + minutes }), nothing)
