/**
 * Suggestions: types and tags for entries, proposed by a language model or the built-in rules. Nothing changes before the owner
 * accepts.
 */
import { Suggestion } from "@englog/domain/categorization/Suggestion"
import { LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId, SuggestionId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { ErrorDetails } from "./ErrorAnswer.ts"
import { ErrorCode } from "./ErrorCodes.ts"
import { examples } from "./Examples.ts"
import { Conflict, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { StartsTask } from "./StartsTask.ts"
import { TaskAccepted } from "./TaskView.ts"

/** Entries of one request. */
export const MAX_CATEGORIZED = 200
/** Decisions of one request. */
export const MAX_DECISIONS = 1_000

const atLeastOne = (max: number, what: string) =>
  Schema.makeFilter<ReadonlyArray<unknown>>((items) =>
    items.length === 0 ? `must name at least one ${what}` : items.length > max ? `must name at most ${max}` : undefined, {
    expected: `1 to ${max}`,
    toJsonSchema: () => [{ minItems: 1, maxItems: max }, true]
  })

export const SuggestionRequest = Schema.Struct({
  entry_ids: Schema.optionalKey(Schema.Array(EntryId).check(atLeastOne(MAX_CATEGORIZED, "entry")).annotate({
    description: `Your entries; left out: the newest ${MAX_CATEGORIZED} that have neither a tag nor a suggestion.`
  }))
}).annotate({ identifier: "SuggestionRequest" })
export type SuggestionRequest = typeof SuggestionRequest.Type

export const SuggestionPage = Page(Suggestion).annotate({ identifier: "SuggestionPage" })
export const SuggestionQuery = Schema.Struct(pageQuery)
export type SuggestionQuery = typeof SuggestionQuery.Type

const Decision = Schema.Struct({ id: SuggestionId, decision: Schema.Literals(["accept", "reject"]) })

export const Decisions = Schema.Struct({
  decisions: Schema.Array(Decision).check(
    atLeastOne(MAX_DECISIONS, "suggestion"),
    Schema.makeFilter<ReadonlyArray<{ readonly id: string }>>((decisions) => {
      const twice = decisions.findIndex(({ id }, i) => decisions.findIndex((other) => other.id === id) < i)
      return twice < 0 ? undefined : { path: [twice, "id"], issue: "must not be decided twice" }
    }, { toJsonSchema: () => [{}, true] })
  )
}).annotate({ identifier: "Decisions" })
export type Decisions = typeof Decisions.Type

export const DecisionResult = Schema.Struct({
  /** In the order of the request. */
  items: Schema.Array(Schema.Struct({
    id: SuggestionId,
    status: Schema.Int.annotate({ description: "200 accepted, 204 rejected, 404 no such suggestion, 412 the entry changed since, others as for the update of an entry" }),
    /** As it is once it was accepted. */
    entry: Schema.NullOr(LogEntry),
    error: Schema.NullOr(Schema.String),
    code: Schema.NullOr(ErrorCode),
    details: ErrorDetails
  })),
  succeeded: Schema.Int,
  failed: Schema.Int
}).annotate({ identifier: "DecisionResult" })
export type DecisionResult = typeof DecisionResult.Type

const exampleId = "c2d1b0a9-8f7e-4d6c-9b5a-4e3f2d1c0b9a"
const example = {
  id: exampleId,
  entry_id: "550e8400-e29b-41d4-a716-446655440001",
  entry_title: "Fix the login race",
  task_id: "categorization_dd72f29f-a51b-4a2d-add8-496537c8e078_1754042400_5f21c1df3a33d005",
  type: "debug",
  tags: ["bug-fix", "security"],
  model: "builtin",
  stale: false,
  created_at: "2025-08-01T10:00:12.500Z"
}
const exampleResult = { items: [{ id: exampleId, status: 204, entry: null, error: null, code: null, details: [] }], succeeded: 1, failed: 0 }

export class SuggestionsApi extends HttpApiGroup.make("suggestions").add(
  HttpApiEndpoint.post("request", "/v1/suggestions", {
    payload: SuggestionRequest,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [Conflict, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Have entries categorized",
    description: "Every entry has a type, so one that lacks a categorization is one without tags. Suggested are a type, where another one fits better, and tags of "
      + "yours or predefined ones. 409 where no entry lacks tags.",
    transform: examples({ request: { entry_ids: [example.entry_id] }, response: { task_id: example.task_id, message: "Categorization task queued successfully" } })
  })),
  HttpApiEndpoint.get("list", "/v1/suggestions", { query: SuggestionQuery, success: SuggestionPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List what is suggested and not decided, newest first",
      description: "`stale` are those whose entry has changed since: they can only be rejected, or replaced by a new request.",
      transform: examples({ response: { items: [example], next_cursor: null } })
    })),
  HttpApiEndpoint.post("decide", "/v1/suggestions/decisions", { payload: Decisions, success: DecisionResult })
    .annotateMerge(OpenApi.annotations({
      summary: `Accept or reject up to ${MAX_DECISIONS} suggestions`,
      description: "What is accepted changes its entry as an update would, if the entry is still what the suggestion was made for (else 412). Each is done or refused for "
        + "itself; what is done is gone from the list.",
      transform: examples({ request: { decisions: [{ id: exampleId, decision: "reject" }] }, response: exampleResult })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Suggestions",
  description: "Types and tags that are proposed for entries, until their owner decides."
})) {}
