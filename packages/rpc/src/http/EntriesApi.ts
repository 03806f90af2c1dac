/**
 * Log entries (seed 004, `/v1/logs`). Everybody sees their own and nobody else's.
 */
import { ActivityType, ImpactLevel, LogEntry, ValueRating } from "@englog/domain/entries/LogEntry"
import { EntryId, ProjectId } from "@englog/domain/Ids"
import { wordsOf } from "@englog/domain/search/Words"
import { Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { BulkPayload, BulkResult } from "./BulkPayload.ts"
import { EntryPayload, EntryStart } from "./EntryPayload.ts"
import { createdWithEtagHeader, ifMatch, ifNoneMatch, unlessKnown, withEtagHeader } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { Conflict, NotFound, PreconditionFailed } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText } from "./PlainText.ts"
import { QueryFlag } from "./QueryFlag.ts"
import { inOrder, LocalDate } from "./Times.ts"

export const EntryPage = Page(LogEntry).annotate({ identifier: "EntryPage" })

const tagsOf = (text: string): ReadonlyArray<string> =>
  text.split(",").map((name) => name.trim().toLowerCase()).filter((name) => name !== "")

export const TagNames = PlainText({ max: 2_600 }).check(
  Schema.makeFilter<string>((text) => {
    const count = tagsOf(text).length
    return count === 0 ? "must name a tag" : count > 50 ? "must name at most 50 tags" : undefined
  }, { expected: "names of tags", toJsonSchema: () => [{}, true] })
).annotate({ description: "Names with commas between them; all of these tags are demanded.", examples: ["backend,p1-high"] }).pipe(
  Schema.decodeTo(
    Schema.Array(Schema.String),
    SchemaTransformation.transform({ decode: tagsOf, encode: (names) => names.join(",") })
  )
)

/** Searches do not look for parts of words: see docs/decisions/0026. */
export const SearchText = PlainText({ max: 200 }).check(
  Schema.makeFilter<string>((text) => wordsOf(text).length === 0 ? "must hold a letter or a digit" : undefined, {
    expected: "words",
    toJsonSchema: () => [{}, true]
  })
).annotate({
  description: "Words that must all occur in the title or the description, in any order, whatever their case and their accents. "
    + "Whole words, but any two neighbouring characters of scripts that are written without spaces.",
  examples: ["login race"]
})

/** What entries are put in order by; ties are by id. */
export const EntrySort = Schema.Literals(["start_time", "created_at", "updated_at", "duration"])
export type EntrySort = typeof EntrySort.Type

export const SortDirection = Schema.Literals(["asc", "desc"])
export type SortDirection = typeof SortDirection.Type

/** Days are local days in the user's zone, both inclusive; an entry belongs to the day in which it starts. */
export const entryFilter = {
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate),
  type: Schema.optionalKey(ActivityType),
  project_id: Schema.optionalKey(ProjectId),
  tags: Schema.optionalKey(TagNames),
  value_rating: Schema.optionalKey(ValueRating),
  impact_level: Schema.optionalKey(ImpactLevel),
  running: Schema.optionalKey(QueryFlag("Only entries that run, or only those that have ended.")),
  q: Schema.optionalKey(SearchText)
}

const entryOrder = {
  sort: Schema.optionalKey(EntrySort.annotate({
    description: "What to put entries in order by, then by id; start_time where it is not given. A running entry counts as shorter than any other.",
    default: "start_time"
  })),
  order: Schema.optionalKey(SortDirection.annotate({ description: "desc where it is not given.", default: "desc" }))
}

export const EntryQuery = Schema.Struct({ ...entryFilter, ...entryOrder, ...pageQuery }).check(inOrder("start_date", "end_date"))
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
  source: null,
  source_id: null,
  created_at: "2026-01-05T10:31:02.114Z",
  updated_at: "2026-01-05T10:31:02.114Z",
  etag: "Jm0cZf0sT3mW0xq1o2L9hA"
}
const exampleStart = { title: "Pair on the release", type: "mentoring", tags: ["backend"] }
const exampleRunning = { ...example, ...exampleStart, description: null, end_time: null, duration_minutes: null }
const exampleBulk = {
  operations: [
    { action: "create", entry: exampleRequest },
    { action: "delete", id: "9a1c3a1e-2f6d-4a53-8a55-0a7c1f4f2b10" }
  ],
  atomic: false
}
const exampleBulkResult = {
  items: [
    { index: 0, status: 201, entry: example, error: null, code: null, details: [] },
    { index: 1, status: 404, entry: null, error: "you have no entry 9a1c3a1e-2f6d-4a53-8a55-0a7c1f4f2b10", code: "not_found", details: [] }
  ],
  succeeded: 1,
  failed: 1,
  failed_index: null
}

const created = createdWithEtagHeader(LogEntry)
const shown = withEtagHeader(LogEntry)

export class EntriesApi extends HttpApiGroup.make("entries").add(
  HttpApiEndpoint.post("create", "/v1/logs", { payload: EntryPayload, success: created, error: Conflict }).annotateMerge(OpenApi.annotations({
    summary: "Record an entry",
    description: "The title is trimmed; at most 50 tags are trimmed, put in lower case and kept once each, in their order. Entries "
      + "may overlap and last up to 366 days; one whose `end_time` is null is running.",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.get("list", "/v1/logs", {
    query: EntryQuery,
    success: EntryPage
  }).annotateMerge(OpenApi.annotations({
    summary: "List and search entries, newest first",
    description: "All filters that are given must hold. Days are local days in the user's time zone, both inclusive. Ordered by "
      + "start_time, then id, descending, or as `sort` and `order` say; a cursor goes on with the order it was given for.",
    transform: examples({ response: { items: [example], next_cursor: null } })
  })),
  HttpApiEndpoint.post("start", "/v1/logs/start", { payload: EntryStart, success: created, error: Conflict }).annotateMerge(OpenApi.annotations({
    summary: "Start an entry now",
    description: "It runs until it is stopped. Several may run at once; they count nowhere until they have ended.",
    transform: examples({ request: exampleStart, response: exampleRunning })
  })),
  HttpApiEndpoint.post("bulk", "/v1/logs/bulk", { payload: BulkPayload, success: BulkResult }).annotateMerge(OpenApi.annotations({
    summary: "Create, update and delete up to 1,000 entries",
    description: "One transaction. Each operation is done or refused for itself and answered as a request of its own would be; an "
      + "entry is changed by one of them at most. With `atomic` all are done, or none and `failed_index` says because of which.",
    transform: examples({ request: exampleBulk, response: exampleBulkResult })
  })),
  HttpApiEndpoint.post("stop", "/v1/logs/:id/stop", { params, success: shown, error: [NotFound, Conflict] })
    .annotateMerge(OpenApi.annotations({
      summary: "Stop a running entry now",
      description: "409 where it does not run, or has been running for more than 366 days: write its `end_time` then.",
      transform: examples({ response: example })
    })),
  HttpApiEndpoint.get("get", "/v1/logs/:id", {
    params,
    headers: ifNoneMatch,
    success: unlessKnown(LogEntry),
    error: NotFound
  }).annotateMerge(OpenApi.annotations({
    summary: "Read an entry",
    description: "With the name of its project, its length in minutes and its `etag`. 304 where `If-None-Match` names that.",
    transform: examples({ response: example })
  })),
  HttpApiEndpoint.put("update", "/v1/logs/:id", {
    params,
    headers: ifMatch,
    payload: EntryPayload,
    success: shown,
    error: [NotFound, Conflict, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace an entry",
    description: "What is left out takes its default. The read-only fields of the representation are ignored.",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.delete("remove", "/v1/logs/:id", {
    params,
    headers: ifMatch,
    success: HttpApiSchema.NoContent,
    error: [NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Delete an entry",
    description: "For good, where `If-Match` is not given or still holds."
  }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Log entries",
  description: "What an engineer did: one activity with its time, kind, value and impact."
})) {}
