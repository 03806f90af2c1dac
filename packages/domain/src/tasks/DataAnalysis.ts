/**
 * DATA_ANALYSIS (seed 001; seed 002's analytics): rolls up the days of a period and states its statistics. A task of somebody's
 * personal organization is about their own entries; one of a team about what its members share with it.
 */
import { Schema } from "effect"
import { DayRollup, RolledEntry } from "../analytics/DayRollup.ts"
import { DayStatistics } from "../analytics/DayStatistics.ts"
import { countDays, LocalDay } from "../users/LocalDays.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

/** Of one task: its result has to fit into a message. A longer period is several tasks. */
export const MAX_ANALYSED_DAYS = 93

/** Days that are analysed where none are named. */
export const ANALYSED_DAYS = 30

/** Local days, both included: of the user, or of each member of a team. */
const period = { start_date: LocalDay, end_date: LocalDay }

/** What a worker is given. `days` are to be rolled up, `known` are rolled up already; together they are the period's. */
export const AnalysisInput = Schema.Struct({
  ...period,
  days: Schema.Array(Schema.Struct({
    date: LocalDay,
    /** Of the entries: a roll-up of other entries than there are by then is not stored. */
    digest: Schema.String,
    entries: Schema.Array(RolledEntry)
  })),
  known: Schema.Array(DayRollup),
  /** Minutes of the same number of days just before. */
  minutes_before: Schema.Int
})
export type AnalysisInput = typeof AnalysisInput.Type

export const DataAnalysis = TaskKind.make({
  kind: "DATA_ANALYSIS",
  payload: Schema.Struct({
    start_date: Schema.optionalKey(LocalDay),
    end_date: Schema.optionalKey(LocalDay)
  }).check(Schema.makeFilter(({ end_date, start_date }: { readonly start_date?: string; readonly end_date?: string }) => {
    if (start_date === undefined || end_date === undefined) return undefined
    if (end_date < start_date) return { path: ["end_date"], issue: "must not be before start_date" }
    return countDays(start_date, end_date) > MAX_ANALYSED_DAYS
      ? { path: ["end_date"], issue: `must be at most ${MAX_ANALYSED_DAYS} days after start_date` }
      : undefined
  }, { toJsonSchema: () => [{}, true] })),
  result: Schema.Struct({
    ...period,
    statistics: DayStatistics,
    /** As the worker hands them in; they are kept as roll-ups, not in the result. */
    rollups: Schema.optionalKey(Schema.Array(Schema.Struct({ digest: Schema.String, rollup: DayRollup }))),
    /** Days whose roll-up was stored. Fewer than were computed where entries changed meanwhile, and none of a team's. */
    days_stored: Schema.optionalKey(Schema.Int)
  }),
  policy: backgroundPolicy
})
