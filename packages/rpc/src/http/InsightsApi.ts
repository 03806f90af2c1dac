/**
 * Insights: requested as tasks, stored as text whose figures were checked, with the facts and entries it stands on.
 */
import { InsightId } from "@englog/domain/Ids"
import { Insight, InsightSummary } from "@englog/domain/insights/Insight"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { Forbidden, NotFound } from "./HttpErrors.ts"
import { Page, pageQuery } from "./Page.ts"
import { StartsTask } from "./StartsTask.ts"
import { InsightTaskRequest, ReportTaskRequest, TaskAccepted } from "./TaskView.ts"
import { inOrder, LocalDate } from "./Times.ts"
import { examples } from "./Examples.ts"
import { Idempotent } from "./Idempotent.ts"
import * as Example from "./TaskExamples.ts"

export const InsightPage = Page(InsightSummary).annotate({ identifier: "InsightPage" })

/** `type` is an insight or report type; the period filters keep insights that lie within it (seed 004). */
export const insightFilter = {
  type: Schema.optionalKey(Schema.String),
  period_start: Schema.optionalKey(LocalDate),
  period_end: Schema.optionalKey(LocalDate)
}

export const insightQuery = Schema.Struct({ ...insightFilter, ...pageQuery }).check(inOrder("period_start", "period_end"))
export type InsightQuery = typeof insightQuery.Type

const accepted = TaskAccepted.pipe(HttpApiSchema.status(202))

export class InsightsApi extends HttpApiGroup.make("insights").add(
  HttpApiEndpoint.post("submitInsight", "/v1/tasks/insights", {
    payload: InsightTaskRequest,
    success: accepted,
    error: [Forbidden, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Request an insight about chosen entries",
    description: "Entry ids that are unknown or belong to somebody else answer 404 and are all named.",
    transform: examples({ request: Example.insightRequest, response: Example.accepted })
  })),
  HttpApiEndpoint.post("submitReport", "/v1/tasks/reports", {
    payload: ReportTaskRequest,
    success: accepted,
    error: [Forbidden, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({ summary: "Request a report over a period",
    transform: examples({ request: Example.reportRequest, response: Example.accepted })
  })),
  HttpApiEndpoint.get("list", "/v1/insights", { query: insightQuery, success: InsightPage })
    .annotateMerge(OpenApi.annotations({ summary: "List insights, newest first",
      description: "Without facts and citations; read one by its id for those.",
      transform: examples({ response: { items: [Example.insightSummary], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/insights/:id", { params: { id: InsightId }, success: Insight, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read an insight with its facts and citations",
      transform: examples({ response: Example.insight })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Insights",
  description: "What the narrator wrote about facts; every figure in it resolves."
})) {}
