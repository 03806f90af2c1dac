/**
 * Log entries (seed 004, `/v1/logs`). Everybody sees their own and nobody else's.
 */
import { ActivityType, LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId, ProjectId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { EntryPayload } from "./EntryPayload.ts"
import { examples } from "./Examples.ts"
import { NotFound } from "./HttpErrors.ts"
import { Page, pageQuery } from "./Page.ts"
import { inOrder, LocalDate } from "./Times.ts"

export const EntryPage = Page(LogEntry).annotate({ identifier: "EntryPage" })

/** Days are local days in the user's zone, both inclusive; an entry belongs to the day in which it starts. */
export const entryFilter = {
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate),
  type: Schema.optionalKey(ActivityType),
  project_id: Schema.optionalKey(ProjectId)
}

export const EntryQuery = Schema.Struct({ ...entryFilter, ...pageQuery }).check(inOrder("start_date", "end_date"))
export type EntryQuery = typeof EntryQuery.Type

const params = { id: EntryId }

const exampleRequest = {
  title: "Fix the login race",
  description: "Two refreshes at once revoked the session; the database decides now.",
  type: "debug",
  project_id: "0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f10",
  tags: ["backend", "p1-high"],
  start_time: "2026-01-05T09:00:00Z",
  end_time: "2026-01-05T10:30:00Z",
  value_rating: "high",
  impact_level: "product"
}
const example = {
  ...exampleRequest,
  id: "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11",
  user_id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  project_name: "Billing service",
  duration_minutes: 90,
  created_at: "2026-01-05T10:31:02.114Z",
  updated_at: "2026-01-05T10:31:02.114Z"
}

export class EntriesApi extends HttpApiGroup.make("entries").add(
  HttpApiEndpoint.post("create", "/v1/logs", {
    payload: EntryPayload,
    success: HttpApiSchema.WithHeaders(LogEntry.pipe(HttpApiSchema.status(201)), { location: Schema.String })
  }).annotateMerge(OpenApi.annotations({
    summary: "Record an entry",
    description: "The title is trimmed; at most 50 tags are trimmed, put in lower case and kept once each, in their order.",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.get("list", "/v1/logs", {
    query: EntryQuery,
    success: EntryPage
  }).annotateMerge(OpenApi.annotations({
    summary: "List entries, newest first",
    description: "Days are local days in the user's time zone, both inclusive. Ordered by start_time, then id, descending.",
    transform: examples({ response: { items: [example], next_cursor: null } })
  })),
  HttpApiEndpoint.get("get", "/v1/logs/:id", { params, success: LogEntry, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read an entry", transform: examples({ response: example }) })),
  HttpApiEndpoint.put("update", "/v1/logs/:id", { params, payload: EntryPayload, success: LogEntry, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Replace an entry",
      description: "What is left out takes its default. The read-only fields of the representation are ignored.",
      transform: examples({ request: exampleRequest, response: example })
    })),
  HttpApiEndpoint.delete("remove", "/v1/logs/:id", { params, success: HttpApiSchema.NoContent, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Delete an entry" }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Log entries",
  description: "What an engineer did: one activity with its time, kind, value and impact."
})) {}
