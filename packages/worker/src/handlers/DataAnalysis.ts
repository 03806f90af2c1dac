/** Handles DATA_ANALYSIS: sums up the days that are not rolled up yet, and states the statistics of the period. */
import { daySumsBetween, rollUp } from "@englog/domain/analytics/DayRollup"
import { dayStatistics } from "@englog/domain/analytics/DayStatistics"
import { AnalysisInput, DataAnalysis } from "@englog/domain/tasks/DataAnalysis"
import { Effect, Schema } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(AnalysisInput))

export const dataAnalysis = Effect.succeed(TaskHandler.make(DataAnalysis, (_payload, context) =>
  Effect.gen(function*() {
    yield* context.progress(10, "Reading what was recorded")
    const { days, end_date, known, minutes_before, start_date } = yield* Effect.flatMap(context.data, decode).pipe(
      Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause)))
    )
    yield* context.progress(50, `Rolling up ${days.length} days, beside ${known.length} that are`)
    const rollups = days.map(({ date, digest, entries }) => ({ digest, rollup: rollUp(date, entries) }))
    const all = [...known, ...rollups.map(({ rollup }) => rollup)]
    const statistics = dayStatistics(daySumsBetween(start_date, end_date, all), minutes_before)
    yield* context.progress(90, `${statistics.total.minutes} minutes on ${statistics.days_with_entries} days`)
    return { start_date, end_date, statistics, rollups }
  })))
