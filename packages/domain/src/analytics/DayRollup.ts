/**
 * The roll-up of a local day: what the entries that start on it come to, for each project. Sums of whole numbers, from which
 * every figure about days, weeks and longer periods follows exactly as it does from the entries themselves.
 */
import { Schema } from "effect"
import { ActivityType, ImpactLevel, ValueRating } from "../entries/LogEntry.ts"
import { weekdayOf } from "../facts/LocalTime.ts"
import { ProjectId } from "../Ids.ts"
import type { DaySums } from "../metrics/ProductivityMetrics.ts"
import { addAll, WorkSums, workSums } from "../metrics/WorkSums.ts"
import { addDays, countDays, LocalDay } from "../users/LocalDays.ts"

/** An entry as far as a roll-up looks at it: no text. `hour`: local, in which it starts. */
export const RolledEntry = Schema.Struct({
  hour: Schema.Int,
  duration_minutes: Schema.Int,
  type: ActivityType,
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  project_id: Schema.NullOr(ProjectId)
})
export type RolledEntry = typeof RolledEntry.Type

export const DayRollup = Schema.Struct({
  date: LocalDay,
  /** In the order of their first entries; null: entries of no project. Empty: a day without entries. */
  projects: Schema.Array(Schema.Struct({ project_id: Schema.NullOr(ProjectId), sums: WorkSums }))
})
export type DayRollup = typeof DayRollup.Type

const DAY_MS = 86_400_000

/** Days since 1970-01-01. */
export const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS

/** Of all entries of a day, in the order of their starts. */
export const rollUp = (date: string, entries: ReadonlyArray<RolledEntry>): DayRollup => {
  const day = dayNumber(date)
  const placed = entries.map((entry) => ({ entry, start: 0, local: { day, hour: entry.hour, weekday: weekdayOf(day) } }))
  return {
    date,
    projects: [...Map.groupBy(placed, ({ entry }) => entry.project_id)].map(([project_id, group]) => ({ project_id, sums: workSums(group) }))
  }
}

/** Every day from the first to the last, all projects together; what several roll-ups say of a day is added up. */
export const daySumsBetween = (first: string, last: string, rollups: ReadonlyArray<DayRollup>): ReadonlyArray<DaySums> => {
  const byDate = Map.groupBy(rollups, ({ date }) => date)
  return Array.from({ length: countDays(first, last) }, (_, index) => {
    const date = addDays(first, index)
    const parts = (byDate.get(date) ?? []).flatMap(({ projects }) => projects.map(({ sums }) => sums))
    return { day: dayNumber(date), sums: addAll(parts) }
  })
}
