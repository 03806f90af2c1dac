/**
 * Log entries (seed 004, `/v1/logs`). Everybody sees their own and nobody else's.
 */
import { ActivityType, LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId, ProjectId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { EntryPayload } from "./EntryPayload.ts"
import { NotFound } from "./HttpErrors.ts"
import { Page, pageQuery } from "./Page.ts"
import { LocalDate } from "./Times.ts"

export const EntryPage = Page(LogEntry).annotate({ identifier: "EntryPage" })

/** Days are local days in the user's zone, both inclusive; an entry belongs to the day in which it starts. */
export const entryFilter = {
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate),
  type: Schema.optionalKey(ActivityType),
  project_id: Schema.optionalKey(ProjectId)
}

export const EntryQuery = Schema.Struct({ ...entryFilter, ...pageQuery })
export type EntryQuery = typeof EntryQuery.Type

const params = { id: EntryId }

export class EntriesApi extends HttpApiGroup.make("entries").add(
  HttpApiEndpoint.post("create", "/v1/logs", {
    payload: EntryPayload,
    success: HttpApiSchema.WithHeaders(LogEntry.pipe(HttpApiSchema.status(201)), { location: Schema.String })
  }).annotateMerge(OpenApi.annotations({
    summary: "Record an entry",
    description: "The title is trimmed; tags are trimmed, put in lower case and kept once each, in their order."
  })),
  HttpApiEndpoint.get("list", "/v1/logs", {
    query: EntryQuery,
    success: EntryPage
  }).annotateMerge(OpenApi.annotations({
    summary: "List entries, newest first",
    description: "Days are local days in the user's time zone, both inclusive. Ordered by start_time, then id, descending."
  })),
  HttpApiEndpoint.get("get", "/v1/logs/:id", { params, success: LogEntry, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read an entry" })),
  HttpApiEndpoint.put("update", "/v1/logs/:id", { params, payload: EntryPayload, success: LogEntry, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Replace an entry",
      description: "What is left out takes its default. The read-only fields of the representation are ignored."
    })),
  HttpApiEndpoint.delete("remove", "/v1/logs/:id", { params, success: HttpApiSchema.NoContent, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Delete an entry" }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Log entries",
  description: "What an engineer did: one activity with its time, kind, value and impact."
})) {}
