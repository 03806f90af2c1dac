/**
 * Asking for an insight over a period (seed 004, `InsightRequest`), and what is answered: a task that was accepted, or the
 * insight that answers the question already.
 */
import { InsightId, ProjectId, TaskId } from "@englog/domain/Ids"
import { InsightCategory } from "@englog/domain/insights/InsightCategory"
import { ReportType } from "@englog/domain/insights/ReportType"
import { Schema } from "effect"
import { InsightContextText } from "./TaskView.ts"
import { DayOrInstant } from "./Times.ts"

/** Projects that one insight may be limited to. */
const MAX_PROJECTS = 50

const atMost = (max: number, what: string) =>
  Schema.makeFilter<ReadonlyArray<unknown>>((items) => items.length <= max ? undefined : `must name at most ${max} ${what}`, {
    expected: `at most ${max} ${what}`,
    toJsonSchema: () => [{ maxItems: max }, true]
  })

export const InsightRequest = Schema.Struct({
  report_type: ReportType,
  period_start: Schema.optionalKey(DayOrInstant.annotate({
    description: "First local day, or an instant of it. Left out together with period_end: today for a daily summary, else the last complete period of the type "
      + "in your time zone: ISO week, two ISO weeks (sprint), month, quarter, year."
  })),
  period_end: Schema.optionalKey(DayOrInstant.annotate({
    description: "Last local day, or the instant before which the period ends; at most 366 days in all."
  })),
  include_projects: Schema.optionalKey(Schema.Array(ProjectId).check(atMost(MAX_PROJECTS, "projects")).annotate({
    description: "Only your entries in these projects, which are yours or your teams'; none named: all your entries."
  })),
  focus_areas: Schema.optionalKey(Schema.Array(InsightCategory).check(atMost(InsightCategory.literals.length, "areas")).annotate({
    description: "A section for each; none named: all seven."
  })),
  context: Schema.optionalKey(InsightContextText),
  refresh: Schema.optionalKey(Schema.Boolean.annotate({
    description: "Write it anew, although an insight answers exactly this question already.",
    default: false
  }))
}).check(
  Schema.makeFilter(({ period_end, period_start }: { readonly period_start?: string; readonly period_end?: string }) =>
    (period_start === undefined) === (period_end === undefined)
      ? undefined
      : period_end === undefined
      ? { path: ["period_end"], issue: "must be given where period_start is" }
      : { path: ["period_start"], issue: "must be given where period_end is" }, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "InsightRequest" })
export type InsightRequest = typeof InsightRequest.Type

/** The task will store the insight. */
export const InsightQueued = Schema.Struct({
  task_id: TaskId,
  message: Schema.String,
  cached: Schema.Literal(false),
  insight_id: Schema.Null
}).annotate({ identifier: "InsightQueued" })

/** Nothing was started: this insight was written for an equal question, and no record that it rests on has changed since. */
export const InsightCached = Schema.Struct({
  /** The one that wrote it; its record is kept for a shorter time than the insight. */
  task_id: TaskId,
  message: Schema.String,
  cached: Schema.Literal(true),
  insight_id: InsightId
}).annotate({ identifier: "InsightCached" })

export const InsightAnswer = Schema.Union([InsightQueued, InsightCached])
export type InsightAnswer = typeof InsightAnswer.Type
