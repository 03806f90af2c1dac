/**
 * Statistics over the days of a period, with their definitions beside them: whoever reads a figure can read what it is.
 */
import { Schema } from "effect"
import { ProductivityMetrics } from "../facts/Fact.ts"
import { type DaySums, metricsOfDays } from "../metrics/ProductivityMetrics.ts"
import { addAll } from "../metrics/WorkSums.ts"

export const DayStatistics = Schema.Struct({
  days: Schema.Int,
  days_with_entries: Schema.Int,
  total: Schema.Struct({ minutes: Schema.Int, entries: Schema.Int }),
  /** Of the minutes per day. */
  mean: Schema.Finite,
  median: Schema.Finite,
  standard_deviation: Schema.Finite,
  minimum: Schema.Int,
  maximum: Schema.Int,
  trend: Schema.Finite,
  /** Of the days just before; null where they had no minutes. */
  change: Schema.NullOr(Schema.Finite),
  metrics: Schema.NullOr(ProductivityMetrics)
}).annotate({ identifier: "DayStatistics" })
export type DayStatistics = typeof DayStatistics.Type

export const definitions: Readonly<Record<Exclude<keyof DayStatistics, "total" | "metrics">, string>> = {
  days: "Local days of the period, with or without entries.",
  days_with_entries: "Local days on which at least one entry starts.",
  mean: "Minutes divided by days of the period.",
  median: "The middle one of the minutes per day, days without entries included; between two middle ones, their mean.",
  standard_deviation: "Population standard deviation of the minutes per day: the root of the mean squared distance from the mean.",
  minimum: "Fewest minutes on one day.",
  maximum: "Most minutes on one day.",
  trend: "Slope of the least-squares line through the minutes per day, in minutes per day from one week to the next (7 times the daily slope).",
  change: "Change of minutes against the same number of days just before, in percent; null where those had none."
}

/** `days`: every day of the period in its order; `before`: minutes of the same number of days just before. */
export const dayStatistics = (days: ReadonlyArray<DaySums>, before: number): DayStatistics => {
  const minutes = days.map(({ sums }) => sums.minutes)
  const total = addAll(days.map(({ sums }) => sums))
  const mean = minutes.length === 0 ? 0 : total.minutes / minutes.length
  return {
    days: days.length,
    days_with_entries: days.filter(({ sums }) => sums.entries > 0).length,
    total: { minutes: total.minutes, entries: total.entries },
    mean,
    median: medianOf(minutes),
    standard_deviation: minutes.length === 0 ? 0 : Math.sqrt(minutes.reduce((sum, one) => sum + (one - mean) ** 2, 0) / minutes.length),
    minimum: minutes.reduce((least, one) => Math.min(least, one), minutes[0] ?? 0),
    maximum: minutes.reduce((most, one) => Math.max(most, one), 0),
    trend: 7 * slopeOf(minutes, mean),
    change: before === 0 ? null : (total.minutes - before) / before * 100,
    metrics: metricsOfDays(days)
  }
}

const medianOf = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const [lower = 0, upper = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return (lower + upper) / 2
}

/** Ordinary least squares over the positions 0, 1, 2 …; 0 of fewer than two values. */
const slopeOf = (values: ReadonlyArray<number>, mean: number): number => {
  const middle = (values.length - 1) / 2
  const squares = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return squares === 0 ? 0 : values.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0) / squares
}
