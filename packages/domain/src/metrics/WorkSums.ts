/**
 * What entries come to, as sums of whole numbers: sums of parts are sums of the whole, exactly and in any order, and all nine
 * metrics follow from them (ProductivityMetrics).
 */
import { Schema } from "effect"
import type { Placed } from "../facts/LocalTime.ts"
import { isCollaboration, isFocusTime, isFocusType, isHighValue, isWideImpact, type Measured } from "./ActivityGroups.ts"
import { valueImpact } from "./ValueImpact.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Amount = Schema.Struct({ minutes: Count, entries: Count })

/** Minutes, unless said otherwise; groups of which there are none are left out. */
export const WorkSums = Schema.Struct({
  minutes: Count,
  entries: Count,
  focus_type: Count,
  focus_time: Count,
  collaboration: Count,
  high_value: Count,
  wide_impact: Count,
  /** Sum of the entries' weights (ValueImpact). */
  value_impact: Count,
  by_type: Schema.Record(Schema.String, Amount),
  /** By the local hour in which entries start, "0" to "23". */
  by_hour: Schema.Record(Schema.String, Count)
})
export type WorkSums = typeof WorkSums.Type

export const nothing: WorkSums = {
  minutes: 0, entries: 0, focus_type: 0, focus_time: 0, collaboration: 0, high_value: 0, wide_impact: 0, value_impact: 0, by_type: {}, by_hour: {}
}

export const workSums = (placed: ReadonlyArray<Placed<Measured>>): WorkSums => addAll(placed.map(ofEntry))

export const addAll = (parts: ReadonlyArray<WorkSums>): WorkSums => {
  const [first = nothing, ...rest] = parts
  if (rest.length === 0) return first
  const sum = (field: Exclude<keyof WorkSums, "by_type" | "by_hour">) => parts.reduce((total, part) => total + part[field], 0)
  return {
    minutes: sum("minutes"),
    entries: sum("entries"),
    focus_type: sum("focus_type"),
    focus_time: sum("focus_time"),
    collaboration: sum("collaboration"),
    high_value: sum("high_value"),
    wide_impact: sum("wide_impact"),
    value_impact: sum("value_impact"),
    by_type: merged(parts.map(({ by_type }) => by_type), (a, b) => ({ minutes: a.minutes + b.minutes, entries: a.entries + b.entries })),
    by_hour: merged(parts.map(({ by_hour }) => by_hour), (a, b) => a + b)
  }
}

const ofEntry = ({ entry, local }: Placed<Measured>): WorkSums => {
  const minutes = entry.duration_minutes
  const where = (holds: boolean) => holds ? minutes : 0
  return {
    minutes,
    entries: 1,
    focus_type: where(isFocusType(entry)),
    focus_time: where(isFocusTime(entry)),
    collaboration: where(isCollaboration(entry)),
    high_value: where(isHighValue(entry)),
    wide_impact: where(isWideImpact(entry)),
    value_impact: valueImpact(entry),
    by_type: { [entry.type]: { minutes, entries: 1 } },
    by_hour: { [local.hour]: minutes }
  }
}

const merged = <A>(groups: ReadonlyArray<Readonly<Record<string, A>>>, add: (a: A, b: A) => A): Readonly<Record<string, A>> => {
  const sums = new Map<string, A>()
  for (const group of groups) {
    for (const [key, value] of Object.entries(group)) {
      const before = sums.get(key)
      sums.set(key, before === undefined ? value : add(before, value))
    }
  }
  return Object.fromEntries(sums)
}
