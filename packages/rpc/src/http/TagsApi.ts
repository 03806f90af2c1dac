/**
 * Tags (seed 004, `/v1/tags`): one's own and the predefined ones, which nobody changes.
 */
import { TagId } from "@englog/domain/Ids"
import { Tag } from "@englog/domain/tags/Tag"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { Color } from "./Color.ts"
import { createdWithEtagHeader, ifMatch, ifNoneMatch, unlessKnown, withEtagHeader } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { NormalizedText } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import { inOrder, LocalDate } from "./Times.ts"

export const TagName = NormalizedText({ min: 1, max: 50 })

export const TagPayload = Schema.Struct({
  name: TagName,
  category: Schema.optionalKey(Schema.NullOr(NormalizedText({ min: 1, max: 50 }))),
  color: Schema.optionalKey(Schema.NullOr(Color)),
  id: ignored,
  predefined: ignored,
  usage_count: ignored,
  created_at: ignored,
  etag: ignored
}).annotate({ identifier: "TagPayload" })
export type TagPayload = typeof TagPayload.Type

export const TagMerge = Schema.Struct({ into: TagId }).annotate({ identifier: "TagMerge" })

export const TagPage = Page(Tag).annotate({ identifier: "TagPage" })

export const TagQuery = Schema.Struct({
  category: Schema.optionalKey(NormalizedText({ min: 1, max: 50 })),
  predefined: Schema.optionalKey(Schema.Literals(["true", "false"]).annotate({ description: "Only the predefined ones, or only your own." })),
  ...pageQuery
})
export type TagQuery = typeof TagQuery.Type

/** Days are local days of the caller, both inclusive. */
export const PopularTagsQuery = Schema.Struct({
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate),
  limit: pageQuery.limit
}).check(inOrder("start_date", "end_date"))
export type PopularTagsQuery = typeof PopularTagsQuery.Type

const params = { id: TagId }
const exampleRequest = { name: "kubernetes", category: "technology", color: "#326ce5" }
const example = {
  ...exampleRequest,
  id: "5b1c7a52-3c0e-4d4b-8a7e-2f7a1d0c9e11",
  predefined: false,
  usage_count: 7,
  created_at: "2026-01-05T08:00:00.000Z",
  etag: "pK3vD9sQm1tX7wLZ0yR2hA"
}

export class TagsApi extends HttpApiGroup.make("tags").add(
  HttpApiEndpoint.post("create", "/v1/tags", {
    payload: TagPayload,
    success: createdWithEtagHeader(Tag),
    error: Conflict
  }).annotateMerge(OpenApi.annotations({
    summary: "Create a tag",
    description: "Entries create tags with their first use as well. The name is trimmed and put in lower case.",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.get("list", "/v1/tags", { query: TagQuery, success: TagPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List your tags and the predefined ones, by name",
      description: "`usage_count` is how many of your entries have it.",
      transform: examples({ response: { items: [example], next_cursor: null } })
    })),
  HttpApiEndpoint.get("popular", "/v1/tags/popular", { query: PopularTagsQuery, success: TagPage })
    .annotateMerge(OpenApi.annotations({
      summary: "The tags that most of your entries have",
      description: "Most used first, then by name; `usage_count` is that of the period. The first `limit` of them (50 where it is not given); there is no further page.",
      transform: examples({ response: { items: [example], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/tags/:id", { params, headers: ifNoneMatch, success: unlessKnown(Tag), error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read a tag",
      description: "One of yours, or a predefined one.",
      transform: examples({ response: example })
    })),
  HttpApiEndpoint.put("update", "/v1/tags/:id", {
    params,
    headers: ifMatch,
    payload: TagPayload,
    success: withEtagHeader(Tag),
    error: [Conflict, Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace a tag; a new name is that of all entries that have it",
    description: "What is left out takes its default. A name that is taken already is refused: merge the two instead.",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.delete("remove", "/v1/tags/:id", {
    params,
    headers: ifMatch,
    success: HttpApiSchema.NoContent,
    error: [Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Delete a tag; entries lose it",
    description: "Predefined tags cannot be deleted."
  })),
  HttpApiEndpoint.post("merge", "/v1/tags/:id/merge", { params, payload: TagMerge, success: Tag, error: [BadRequest, Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Merge a tag into another, which may be a predefined one",
      description: "Entries and goals that have it get the other in its place; an entry that has both keeps it where the first of them stood. Answers the other.",
      transform: examples({ request: { into: example.id }, response: example })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Tags",
  description: "What entries are told apart by."
})) {}
