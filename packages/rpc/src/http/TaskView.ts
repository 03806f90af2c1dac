/**
 * Tasks as clients see them, by REST and RPC alike.
 */
import { EntryId, InsightId, OrganizationId, TaskId, UserId } from "@englog/domain/Ids"
import { InsightContext } from "@englog/domain/insights/Insight"
import { ReportType } from "@englog/domain/insights/ReportType"
import { TaskEventType } from "@englog/domain/tasks/Task"
import { FailureReason, PublicTaskState } from "@englog/domain/tasks/TaskState"
import { DateTime, Duration, Schema } from "effect"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { unstorableWithin } from "./StorableJson.ts"
import { LocalDate } from "./Times.ts"

/** Entries one insight may be about. */
const MAX_ENTRIES = 1_000

const EntryIds = Schema.Array(EntryId).check(
  Schema.makeFilter<ReadonlyArray<string>>((ids) =>
    ids.length === 0
      ? "must name at least one entry"
      : ids.length > MAX_ENTRIES
      ? `must name at most ${MAX_ENTRIES} entries`
      : undefined, { expected: `1 to ${MAX_ENTRIES} entry ids`, toJsonSchema: () => [{ minItems: 1, maxItems: MAX_ENTRIES }, true] })
).annotate({ description: "Entries of this user; each counts once." })

export const InsightContextText = InsightContext.check(
  Schema.makeFilter<InsightContext>((context) => {
    const text = typeof context === "string" ? context : JSON.stringify(context)
    return text.length > 20_000 ? "must be at most 20000 characters of JSON" : unstorableWithin(context)?.reason
  }, { expected: "text or an object", toJsonSchema: () => [{}, true] })
).annotate({
  description: "What the insight is for: free text, or any JSON object.",
  examples: ["Weekly productivity analysis for performance review"]
})

export const InsightTaskRequest = Schema.Struct({
  user_id: UserId.annotate({ description: "Whose entries; must be the caller's own id, except for an administrator." }),
  entry_ids: EntryIds,
  insight_type: TrimmedText({ min: 1, max: 100 }).annotate({
    description: "productivity, skill_development, time_management, a report type, or any other topic.",
    examples: ["productivity"]
  }),
  context: Schema.optionalKey(InsightContextText)
}).annotate({ identifier: "InsightTaskRequest" })
export type InsightTaskRequest = typeof InsightTaskRequest.Type

export const ReportTaskRequest = Schema.Struct({
  user_id: UserId.annotate({ description: "Whose entries; must be the caller's own id, except for an administrator." }),
  start_date: LocalDate.annotate({ description: "First local day of the period.", examples: ["2025-07-01"] }),
  end_date: LocalDate.annotate({ description: "Last local day of the period, at most 366 days in all.", examples: ["2025-07-31"] }),
  report_type: Schema.optionalKey(ReportType.annotate({ description: "By default the one that fits the length of the period." })),
  context: Schema.optionalKey(InsightContextText)
}).check(
  Schema.makeFilter((period: { readonly start_date: string; readonly end_date: string }) => {
    const [first, last] = [DateTime.makeUnsafe(period.start_date), DateTime.makeUnsafe(period.end_date)]
    const days = Duration.toDays(DateTime.distance(first, last)) + 1
    if (days < 1) return { path: ["end_date"], issue: "must not be before start_date" }
    return days > 366 ? { path: ["end_date"], issue: "must be at most 366 days after start_date" } : undefined
  }, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "ReportTaskRequest" })
export type ReportTaskRequest = typeof ReportTaskRequest.Type

/** 202: the task is stored; what becomes of it is told under its id. */
export const TaskAccepted = Schema.Struct({
  task_id: TaskId,
  message: PlainText({ max: 200 })
}).annotate({ identifier: "TaskAccepted" })

export class TaskView extends Schema.Class<TaskView>("TaskView")({
  task_id: TaskId,
  kind: Schema.String,
  state: PublicTaskState,
  progress: Schema.Int,
  message: Schema.NullOr(Schema.String),
  attempt: Schema.Int,
  max_attempts: Schema.Int,
  priority: Schema.Int,
  organization_id: OrganizationId,
  created_at: Schema.DateTimeUtcFromString,
  started_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  completed_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  deadline: Schema.DateTimeUtcFromString,
  worker_id: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String),
  /** Why it failed: `error` reported by the worker, `lost` with its workers, `deadline` passed. */
  reason: Schema.NullOr(FailureReason)
}) {}

/** Seed 000's result: empty strings where there is nothing yet, times null until they are known. */
export class TaskResultView extends Schema.Class<TaskResultView>("TaskResultView")({
  task_id: TaskId,
  worker_id: Schema.String,
  status: Schema.Literals([
    "TASK_STATUS_PENDING", "TASK_STATUS_PROCESSING", "TASK_STATUS_COMPLETED", "TASK_STATUS_FAILED", "TASK_STATUS_CANCELLED"
  ]),
  /** JSON text; for insights and reports `{content, tags, confidence, insight_id, model, source, …}`. */
  result: Schema.String,
  error: Schema.String,
  started_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  completed_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** The number of a step: after it, or from the first for 0. */
export const StepNumber = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }))

/** One step of a task's history. `seq` starts at 1 and has no gaps. */
export class TaskStep extends Schema.Class<TaskStep>("TaskStep")({
  seq: Schema.Int,
  type: TaskEventType,
  at: Schema.DateTimeUtcFromString,
  attempt: Schema.Int,
  progress: Schema.Int,
  message: Schema.NullOr(Schema.String),
  worker_id: Schema.NullOr(Schema.String)
}) {}

/** What the result of a narration task holds, decoded from `TaskResultView.result`. */
export const NarrationResult = Schema.Struct({
  content: Schema.String,
  tags: Schema.Array(Schema.String),
  confidence: Schema.Finite,
  insight_id: InsightId,
  model: Schema.String,
  source: Schema.Literals(["model", "cache", "builtin"]),
  fallback_reason: Schema.NullOr(Schema.String),
  citations: Schema.Array(Schema.Struct({ paragraph: Schema.Int, entry_ids: Schema.Array(EntryId) }))
})
export type NarrationResult = typeof NarrationResult.Type
