/** WEEKLY_REPORT (seed 001): a report over a period of whole local days, both ends included. */
import { Schema } from "effect"
import { UserId } from "../Ids.ts"
import { InsightDraft } from "../insights/Insight.ts"
import * as TaskKind from "./TaskKind.ts"
import { narrationPolicy } from "./TaskPolicy.ts"

export const WeeklyReport = TaskKind.make({
  kind: "WEEKLY_REPORT",
  payload: Schema.Struct({
    user_id: UserId,
    /** YYYY-MM-DD in the user's zone. */
    start_date: Schema.String,
    end_date: Schema.String,
    /** daily, weekly, sprint, monthly, quarterly or annual (seed 004). */
    report_type: Schema.String
  }),
  result: InsightDraft,
  policy: narrationPolicy,
  submittedBy: "/v1/tasks/reports"
})
