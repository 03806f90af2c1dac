/** The queues as an administrator sees and steers them (seed 002). Each change stands in the audit log. */
import { OrganizationId } from "@englog/domain/Ids"
import { Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import * as Example from "./BackgroundExamples.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Forbidden, NotFound } from "./HttpErrors.ts"
import { pageQuery } from "./Page.ts"
import {
  CleanupAnswer, LimitRequest, MAX_AGE_DAYS, QueueSettingView, QueueStats, SteeredQueue, TenantWeight, TenantWeightPage, WeightRequest
} from "./QueueView.ts"
import { RequiredScope } from "./RequiredScope.ts"

const digits = (reads: (text: string) => boolean, expected: string) =>
  Schema.String.check(Schema.makeFilter<string>((text) => reads(text) ? undefined : `must be ${expected}`, { expected, toJsonSchema: () => [{ pattern: "^[0-9]{1,4}$" }, true] }))

const MaxAgeDays = digits((text) => /^\d{1,4}$/.test(text) && Number(text) <= MAX_AGE_DAYS, `a whole number from 0 to ${MAX_AGE_DAYS}`).annotate({
  description: "Days since a task's end; without it each record goes when its own time is over.",
  examples: ["30"]
}).pipe(Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String })))

const DryRun = Schema.Literals(["true", "false"]).annotate({ description: "true: only counts." }).pipe(
  Schema.decodeTo(Schema.Boolean, SchemaTransformation.transform({ decode: (text) => text === "true", encode: (dry) => dry ? "true" as const : "false" as const }))
)

const params = { queue: SteeredQueue }
const error = [Forbidden, BadRequest, NotFound] as const

export class QueuesApi extends HttpApiGroup.make("queues").add(
  HttpApiEndpoint.get("stats", "/api/background/queue/stats", { success: QueueStats, error: Forbidden })
    .annotateMerge(OpenApi.annotations({
      summary: "Figures of all queues (administrators)",
      description: "Of all organizations together.",
      transform: examples({ response: Example.stats })
    })),
  HttpApiEndpoint.post("cleanup", "/api/background/queue/cleanup", {
    query: { max_age_days: Schema.optionalKey(MaxAgeDays), dry_run: Schema.optionalKey(DryRun) },
    success: CleanupAnswer,
    error: Forbidden
  }).annotateMerge(OpenApi.annotations({
    summary: "Remove the records of tasks that ended long ago (administrators)",
    description: "Of all organizations, with their logs and dead letters.",
    transform: examples({ response: { dry_run: false, removed: { completed: 120, failed: 3, cancelled: 1 } } })
  })),
  HttpApiEndpoint.post("pause", "/api/background/queue/:queue/pause", { params, success: QueueSettingView, error })
    .annotateMerge(OpenApi.annotations({
      summary: "Hand out no more tasks of a queue (administrators)",
      description: "What runs goes on; what is submitted waits.",
      transform: examples({ response: { ...Example.queueSetting, paused: true } })
    })),
  HttpApiEndpoint.post("resume", "/api/background/queue/:queue/resume", { params, success: QueueSettingView, error })
    .annotateMerge(OpenApi.annotations({
      summary: "Go on with a paused queue (administrators)",
      description: "What has waited meanwhile is handed out by priority and age.",
      transform: examples({ response: Example.queueSetting })
    })),
  HttpApiEndpoint.post("limit", "/api/background/queue/:queue/limit", { params, payload: LimitRequest, success: QueueSettingView, error })
    .annotateMerge(OpenApi.annotations({
      summary: "Bound how many tasks of a queue run at once (administrators)",
      description: "On all workers together; null lifts the bound. The queue `*` stands for all queues.",
      transform: examples({ request: { max_running: 10 }, response: { ...Example.queueSetting, max_running: 10 } })
    })),
  HttpApiEndpoint.get("weights", "/api/background/tenants", { query: pageQuery, success: TenantWeightPage, error: [Forbidden, BadRequest] })
    .annotateMerge(OpenApi.annotations({
      summary: "List the organizations whose share was set (administrators)",
      description: "The weight of all others is 1.",
      transform: examples({ response: { items: [Example.weight], next_cursor: null } })
    })),
  HttpApiEndpoint.put("weigh", "/api/background/tenants/:organization_id", {
    params: { organization_id: OrganizationId },
    payload: WeightRequest,
    success: TenantWeight,
    error: [Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Set the share of an organization (administrators)",
    description: "While several organizations have tasks of one priority waiting, slots are divided by their weights.",
    transform: examples({ request: { weight: Example.weight.weight }, response: Example.weight })
  }))
).annotateEndpoints(RequiredScope, "admin").middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Queues",
  description: "How much waits, and what of it may run."
})) {}
