/** WEEKLY_REPORT (seed 001): a report over a period of whole local days, both ends included. */
import { Schema } from "effect"
import { ProjectId, UserId } from "../Ids.ts"
import { InsightDraft } from "../insights/Insight.ts"
import { InsightCategory } from "../insights/InsightCategory.ts"
import * as TaskKind from "./TaskKind.ts"
import { narrationPolicy, priorityOf, type TaskPolicy } from "./TaskPolicy.ts"

export const WeeklyReport = TaskKind.make({
  kind: "WEEKLY_REPORT",
  payload: Schema.Struct({
    user_id: UserId,
    /** YYYY-MM-DD in the user's zone. */
    start_date: Schema.String,
    end_date: Schema.String,
    /** daily, weekly, sprint, monthly, quarterly or annual (seed 004). */
    report_type: Schema.String,
    /** One of those of every Monday: its owner gets it by e-mail, too. */
    scheduled: Schema.optionalKey(Schema.Boolean),
    /** Only entries of these projects; left out: all entries. */
    project_ids: Schema.optionalKey(Schema.Array(ProjectId)),
    /** A section for each of these, in the seed's order; left out: the sections of the report type. */
    focus_areas: Schema.optionalKey(Schema.Array(InsightCategory))
  }),
  result: InsightDraft,
  policy: narrationPolicy,
  submittedBy: "/v1/tasks/reports"
})

/** Thousands on a Monday morning: behind what somebody waits for, within the day, and once more where one fails. */
export const scheduledReportPolicy: TaskPolicy = {
  ...narrationPolicy,
  priority: priorityOf("low"),
  deadline: 86_400_000,
  retry: { max_retries: 2, base_delay: 300_000, backoff_factor: 2, max_delay: 3_600_000 }
}
