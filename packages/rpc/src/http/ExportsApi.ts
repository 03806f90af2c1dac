/** Entries taken elsewhere: as a table, and as calendars that others may read (seed 004, "Data Export"). */
import { MAX_FEED_ENTRIES, MAX_FEEDS } from "@englog/domain/exports/CalendarFeed"
import { FeedId, PdfId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { entryFilter, SortDirection } from "./EntriesApi.ts"
import { examples } from "./Examples.ts"
import { FeedPage, FeedPayload, NewCalendarFeed } from "./FeedView.ts"
import { BadRequest, Conflict, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { pageQuery } from "./Page.ts"
import { PDF_DAYS, PdfAccepted, PdfPayload, PdfQuery } from "./PdfView.ts"
import { QueryFlag } from "./QueryFlag.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** In this order, in the first line. */
export const csvColumns = [
  "id", "date", "start_time", "end_time", "duration_minutes", "title", "description", "type", "project_id", "project_name", "tags",
  "value_rating", "impact_level", "created_at", "updated_at"
] as const

const twice = (name: "start_date" | "end_date", other: "period_start" | "period_end") =>
  Schema.makeFilter((query: { readonly [Name in "start_date" | "end_date" | "period_start" | "period_end"]?: string }) =>
    query[name] !== undefined && query[other] !== undefined ? { path: [other], issue: `must not be given beside ${name}: both name the same` } : undefined, {
    toJsonSchema: () => [{}, true]
  })

export const CsvQuery = Schema.Struct({
  ...entryFilter,
  period_start: Schema.optionalKey(LocalDate.annotate({ description: "The same as start_date." })),
  period_end: Schema.optionalKey(LocalDate.annotate({ description: "The same as end_date." })),
  order: Schema.optionalKey(SortDirection.annotate({ description: "By start_time, then id; asc where it is not given.", default: "asc" })),
  bom: Schema.optionalKey(QueryFlag("Begin with a byte order mark, by which Excel knows UTF-8; false where it is not given."))
}).check(
  inOrder("start_date", "end_date"),
  inOrder("period_start", "period_end"),
  inOrder("start_date", "period_end"),
  inOrder("period_start", "end_date"),
  twice("start_date", "period_start"),
  twice("end_date", "period_end")
)
export type CsvQuery = typeof CsvQuery.Type

const request = { name: "Family calendar", disclosure: "busy", filter: { type: "meeting" } } as const
const feed = { ...request, id: "b0a4d8f2-54a4-4f6b-9d6a-0c1d7e9f5a11", created_at: "2026-01-05T08:00:00.000Z", last_read_at: null }
const review = { title: "Performance review", period_start: "2026-01-01", period_end: "2026-03-31" }
const accepted = {
  id: "5d2c8f0a-3b7e-4a51-8a5e-2f9d7c1b6e33",
  task_id: "pdf_d8c8aa81-59cb-45ab-8eb3-6042c84498fd_1767600000_8fK2mQx0",
  message: "Document queued successfully; it will be at /v1/export/pdf/5d2c8f0a-3b7e-4a51-8a5e-2f9d7c1b6e33"
}
const located = HttpApiSchema.WithHeaders(PdfAccepted.pipe(HttpApiSchema.status(202)), { location: Schema.String })
const whatItHolds = "Figures, charts and tables of the period, an insight with the entries it cites, as PDF 1.7 with bookmarks and tags. A worker makes it; "
  + `it is kept for ${PDF_DAYS} days.`
const inPerson = "API tokens may not do this."

export class ExportsApi extends HttpApiGroup.make("exports").add(
  HttpApiEndpoint.get("csv", "/v1/export/csv", {
    query: CsvQuery,
    success: HttpApiSchema.WithHeaders(HttpApiSchema.StreamUint8Array({ contentType: "text/csv" }), {
      "content-type": Schema.String,
      "content-disposition": Schema.String
    }),
    error: BadRequest
  }).annotateMerge(OpenApi.annotations({
    summary: "Entries as CSV",
    description: `RFC 4180 in UTF-8, all entries that fit the filters, written while they are read. Columns: ${csvColumns.join(", ")}. \`date\` is `
      + "the local day in your time zone, instants are UTC, tags have commas between them. A text that a spreadsheet would take for a "
      + "formula has an apostrophe before it. An answer that does not end as HTTP wants it was cut short.",
    transform: examples({ response: `${csvColumns.join(",")}\r\n` })
  })),
  HttpApiEndpoint.post("createFeed", "/v1/export/ics/feeds", {
    payload: FeedPayload,
    success: HttpApiSchema.WithHeaders(NewCalendarFeed.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [BadRequest, Conflict]
  }).annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
    summary: "Make a calendar feed",
    description: "`url` is told this once: whoever knows it reads the feed, without a login, until it is revoked. It tells of the newest "
      + `${MAX_FEED_ENTRIES} entries that fit the filter and have ended. You can have ${MAX_FEEDS} feeds. ${inPerson}`,
    transform: examples({ request, response: { ...feed, url: "https://englog.example.com/v1/feeds/feed_8fK….ics" } })
  })),
  HttpApiEndpoint.get("feeds", "/v1/export/ics/feeds", { query: Schema.Struct(pageQuery), success: FeedPage, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "List your calendar feeds, newest first",
      description: "Without their addresses, which are told once.",
      transform: examples({ response: { items: [feed], next_cursor: null } })
    })),
  HttpApiEndpoint.delete("revokeFeed", "/v1/export/ics/feeds/:id", { params: { id: FeedId }, success: HttpApiSchema.NoContent, error: NotFound })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "Revoke a calendar feed",
      description: `Its address answers 404 from then on. ${inPerson}`
    }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Export",
  description: "Entries taken elsewhere. Everything that is stored about you, as JSON, is at `/v1/users/export`."
})) {}

/** A group of its own: what starts a task may be sent twice, what tells a secret may not be kept. */
export class PdfApi extends HttpApiGroup.make("pdf").add(
  HttpApiEndpoint.post("request", "/v1/export/pdf", { payload: PdfPayload, success: located, error: [BadRequest, NotFound] })
    .annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
      summary: "Request a performance review as PDF",
      description: whatItHolds,
      transform: examples({ request: review, response: accepted })
    })),
  HttpApiEndpoint.get("requestPeriod", "/v1/export/pdf", { query: PdfQuery, success: located, error: [BadRequest, NotFound] })
    .annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
      summary: "Request a performance review of a period",
      description: `The same as the POST without title and insight; without a period the last 90 days. Each request makes another document. ${whatItHolds}`,
      transform: examples({ response: accepted })
    })),
  HttpApiEndpoint.get("read", "/v1/export/pdf/:id", {
    params: { id: PdfId },
    success: HttpApiSchema.WithHeaders(Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/pdf" })), {
      "content-disposition": Schema.String
    }),
    error: [NotFound, Conflict]
  }).annotateMerge(OpenApi.annotations({
    summary: "Fetch a performance review",
    description: "409 until its task has completed, and where it failed, with the reason.",
    transform: examples({ response: "%PDF-1.7 …" })
  })),
  HttpApiEndpoint.delete("remove", "/v1/export/pdf/:id", { params: { id: PdfId }, success: HttpApiSchema.NoContent, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Delete a performance review", description: "Its task goes on where it has not ended, and keeps nothing." }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Performance reviews",
  description: "What one hands in."
})) {}
