/** What is set up with one call (seed 002, `/api/background/integrations`). */
import { MAX_ANALYSED_DAYS } from "@englog/domain/tasks/DataAnalysis"
import { OrganizationId, ScheduleId, TaskId } from "@englog/domain/Ids"
import { countDays } from "@englog/domain/users/LocalDays"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import * as Example from "./BackgroundExamples.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import * as N8n from "./N8nExamples.ts"
import { N8nSyncRequest, N8nTriggerRequest } from "./N8nSyncRequest.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { TaskAccepted } from "./TaskView.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** Ten years. */
const MOST_DAYS = 3_660

/** In the query rather than in a body: the seed prints the path alone. */
export const DailyAnalyticsQuery = Schema.Struct({
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." })),
  start_date: Schema.optionalKey(LocalDate.annotate({ description: "First day to be rolled up now, beside every day to come; by default 30 days ago." })),
  end_date: Schema.optionalKey(LocalDate.annotate({ description: "Last day to be rolled up now; by default yesterday." }))
}).check(
  inOrder("start_date", "end_date"),
  Schema.makeFilter(({ end_date, start_date }: { readonly start_date?: string; readonly end_date?: string }) =>
    start_date !== undefined && end_date !== undefined && countDays(start_date, end_date) > MOST_DAYS
      ? { path: ["end_date"], issue: `a period has at most ${MOST_DAYS} days` }
      : undefined, { toJsonSchema: () => [{}, true] })
)
export type DailyAnalyticsQuery = typeof DailyAnalyticsQuery.Type

export const AnalyticsScheduled = Schema.Struct({
  ...TaskAccepted.fields,
  /** One for every period of 93 days at most, the newest first. */
  task_ids: Schema.Array(TaskId),
  schedule_id: ScheduleId
}).annotate({ identifier: "AnalyticsScheduled" })
export type AnalyticsScheduled = typeof AnalyticsScheduled.Type

const outcome = "What the workflow answers is the task's result. Time-outs, 429 and server errors are tried again; the header idempotency-key stays the same."

export class IntegrationsApi extends HttpApiGroup.make("integrations").add(
  HttpApiEndpoint.post("scheduleDailyAnalytics", "/api/background/integrations/analytics/schedule-daily", {
    query: DailyAnalyticsQuery,
    success: AnalyticsScheduled.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Forbidden, NotFound, Conflict, PayloadTooLarge]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Have days rolled up every night, and the last ones now",
    description: "Sets up the organization's schedule, at 02:30 in your zone, once: called again it stays as it is. A period that was rolled up "
      + `already, of entries that have not changed since, answers the task that did it. Longer periods are several tasks of ${MAX_ANALYSED_DAYS} days at most.`,
    transform: examples({
      response: { ...Example.accepted, task_ids: [Example.accepted.task_id], schedule_id: "7c7f7b8e-2b43-4c43-8f4e-5b0c1b6f3a21" }
    })
  })),
  HttpApiEndpoint.post("syncWithN8n", "/api/background/tasks/n8n-sync", {
    payload: N8nSyncRequest,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Forbidden, NotFound, Conflict, PayloadTooLarge]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Hand data to the workflow of n8n that takes them",
    description: `The workflow gets \`{"sync_type", "organization_id", "task_id", "data"}\`. ${outcome}`,
    transform: examples({ request: N8n.sync, response: N8n.accepted })
  })),
  HttpApiEndpoint.post("triggerN8n", "/api/background/integrations/n8n/trigger", {
    payload: N8nTriggerRequest,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Forbidden, NotFound, Conflict, PayloadTooLarge]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Start a workflow of n8n by its path",
    description: outcome,
    transform: examples({ request: N8n.trigger, response: N8n.accepted })
  }))
).annotateEndpoints(RequiredScope, "background").middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Integrations",
  description: "What is set up with one call."
})) {}
