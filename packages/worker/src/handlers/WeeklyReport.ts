/** Handles WEEKLY_REPORT: an insight over a period instead of over chosen entries. */
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { Effect } from "effect"
import * as Narration from "./Narration.ts"
import * as TaskHandler from "./TaskHandler.ts"

export const weeklyReport = Effect.map(Narration.make, (narrate) =>
  TaskHandler.make(WeeklyReport, (_payload, context) =>
    narrate(context, { started: "Starting AI report generation", completed: "Report generation completed" })))
