/**
 * Insights: requested as tasks, stored as text whose figures were checked, with the facts and entries it stands on.
 */
import { InsightId, ProjectId } from "@englog/domain/Ids"
import { Fact } from "@englog/domain/facts/Fact"
import { Insight, InsightSummary } from "@englog/domain/insights/Insight"
import { Verification } from "@englog/domain/verification/Verification"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { BadRequest, Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { TagNames } from "./EntriesApi.ts"
import { InsightCached, InsightQueued, InsightRequest } from "./InsightRequest.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText } from "./PlainText.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { InsightTaskRequest, ReportTaskRequest, TaskAccepted } from "./TaskView.ts"
import { inOrder, LocalDate } from "./Times.ts"
import { examples } from "./Examples.ts"
import { Idempotent } from "./Idempotent.ts"
import * as Example from "./TaskExamples.ts"

export const InsightPage = Page(InsightSummary).annotate({ identifier: "InsightPage" })

/** `type` is an insight or report type; the period filters keep insights that lie within it (seed 004). */
export const insightFilter = {
  type: Schema.optionalKey(PlainText({ max: 100 })),
  period_start: Schema.optionalKey(LocalDate),
  period_end: Schema.optionalKey(LocalDate),
  project_id: Schema.optionalKey(ProjectId.annotate({ description: "Only those that are limited to projects among which is this one." })),
  tags: Schema.optionalKey(TagNames),
  created_from: Schema.optionalKey(LocalDate.annotate({ description: "Written on this local day or later." })),
  created_to: Schema.optionalKey(LocalDate.annotate({ description: "Written on this local day or earlier." }))
}

export const insightQuery = Schema.Struct({ ...insightFilter, ...pageQuery })
  .check(inOrder("period_start", "period_end"), inOrder("created_from", "created_to"))
export type InsightQuery = typeof insightQuery.Type

/** What an insight was rendered from. */
export const InsightFacts = Schema.Struct({ insight_id: InsightId, facts: Schema.Array(Fact) }).annotate({ identifier: "InsightFacts" })
export type InsightFacts = typeof InsightFacts.Type

const params = { id: InsightId }
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
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Request a report over a period",
    description: "Of all entries that start within it, both days included, in your time zone.",
    transform: examples({ request: Example.reportRequest, response: Example.accepted })
  })),
  HttpApiEndpoint.post("generate", "/v1/insights/generate", {
    payload: InsightRequest,
    success: [InsightQueued.pipe(HttpApiSchema.status(202)), InsightCached],
    error: [BadRequest, Forbidden, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Request an insight about a period",
    description: "200 where an insight answers exactly this question already and no entry, goal or time zone that it rests on has changed since: "
      + "`cached` is true and nothing is started. `refresh` writes it anew.",
    transform: examples({ request: Example.generateRequest, response: Example.generated, others: { 200: Example.generatedBefore } })
  })),
  HttpApiEndpoint.get("list", "/v1/insights", { query: insightQuery, success: InsightPage })
    .annotateMerge(OpenApi.annotations({ summary: "List insights, newest first",
      description: "Without facts and citations; read one by its id for those.",
      transform: examples({ response: { items: [Example.insightSummary], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/insights/:id", { params, success: Insight, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read an insight with its facts and citations",
      description: "Each figure of the text is that of a fact, or stands in a cited entry.",
      transform: examples({ response: Example.insight })
    })),
  HttpApiEndpoint.delete("remove", "/v1/insights/:id", { params, success: HttpApiSchema.NoContent, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Delete an insight",
      description: "The entries and goals that it is about stay."
    })),
  HttpApiEndpoint.get("facts", "/v1/insights/:id/facts", { params, success: InsightFacts, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read the facts that an insight was rendered from",
      description: "Each with the figure as it is printed and the entries it stands on.",
      transform: examples({ response: { insight_id: Example.insight.id, facts: Example.insight.facts } })
    })),
  HttpApiEndpoint.post("verify", "/v1/insights/:id/verify", { params, success: Verification, error: [NotFound, Conflict] })
    .annotate(RequiredScope, "read").annotateMerge(OpenApi.annotations({ summary: "Verify an insight against today's records",
      description: "Computes every fact anew from today's entries, goals and time zone, and says which of them changed, to what and why, and which figures of "
        + "the text still stand. Nothing is stored. 409 for an insight of a version that did not keep what it rests on.",
      transform: examples({ response: Example.verification })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Insights",
  description: "What the narrator wrote about facts; every figure in it resolves."
})) {}
