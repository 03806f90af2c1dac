/** The inbox of imports: the proposed timeline, and decisions about many proposals at once. */
import { InboxDay } from "@englog/domain/imports/Inbox"
import { LogEntry } from "@englog/domain/entries/LogEntry"
import { ProposalId } from "@englog/domain/Ids"
import { countDays } from "@englog/domain/users/LocalDays"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { ErrorDetails } from "./ErrorAnswer.ts"
import { ErrorCode } from "./ErrorCodes.ts"
import { examples } from "./Examples.ts"
import { Idempotent } from "./Idempotent.ts"
import * as Example from "./ImportExamples.ts"
import { Page, pageQuery } from "./Page.ts"
import { inOrder, LocalDate } from "./Times.ts"

export const MAX_INBOX_DAYS = 92
/** Of one request. */
export const MAX_DECISIONS = 1_000

export const InboxQuery = Schema.Struct({
  from: Schema.optionalKey(LocalDate.annotate({ description: "First local day; 13 days before `to` where it is not given." })),
  to: Schema.optionalKey(LocalDate.annotate({ description: "Last local day; today where it is not given." })),
  limit: pageQuery.limit,
  cursor: Schema.optionalKey(LocalDate.annotate({ description: "`next_cursor` of the page before: the day to go on with." }))
}).check(
  inOrder("from", "to"),
  Schema.makeFilter(({ from, to }: { readonly from?: string; readonly to?: string }) =>
    from !== undefined && to !== undefined && countDays(from, to) > MAX_INBOX_DAYS
      ? { path: ["to"], issue: `must be at most ${MAX_INBOX_DAYS} days after from` }
      : undefined, { toJsonSchema: () => [{}, true] })
)
export type InboxQuery = typeof InboxQuery.Type

export const InboxPage = Page(InboxDay).annotate({ identifier: "InboxPage" })

/** Fields of the entry instead of what is proposed; they are checked with the rest of the entry. */
const Correction = Schema.Record(Schema.String, Schema.Json).annotate({
  description: "Any field of an entry, instead of what is proposed."
})

export const InboxDecision = Schema.Struct({
  id: ProposalId,
  action: Schema.Literals(["accept", "dismiss"]),
  entry: Schema.optionalKey(Correction)
}).check(Schema.makeFilter(({ action, entry }: { readonly action: "accept" | "dismiss"; readonly entry?: unknown }) =>
  action === "dismiss" && entry !== undefined ? { path: ["entry"], issue: "must not be given where the proposal is dismissed" } : undefined, {
  toJsonSchema: () => [{}, true]
})).annotate({ identifier: "InboxDecision" })
export type InboxDecision = typeof InboxDecision.Type

export const DecisionsPayload = Schema.Struct({
  decisions: Schema.Array(InboxDecision).check(Schema.isMinLength(1), Schema.isMaxLength(MAX_DECISIONS)),
  atomic: Schema.optionalKey(Schema.Boolean.annotate({ description: "All or none; false where it is not given." }))
}).annotate({ identifier: "DecisionsPayload" })
export type DecisionsPayload = typeof DecisionsPayload.Type

export const DecisionItem = Schema.Struct({
  index: Schema.Int.annotate({ description: "Its place among the decisions, from 0." }),
  id: ProposalId,
  status: Schema.Int.annotate({
    description: "201 an entry was made, 200 an entry was corrected or the proposal dismissed, 204 the entry was deleted, 400 the entry does not fit, "
      + "404 no such proposal, 409 decided already, 424 undone because of another one"
  }),
  entry: Schema.NullOr(LogEntry),
  error: Schema.NullOr(Schema.String),
  code: Schema.NullOr(ErrorCode),
  details: ErrorDetails
})
export type DecisionItem = typeof DecisionItem.Type

export const DecisionsResult = Schema.Struct({
  items: Schema.Array(DecisionItem),
  succeeded: Schema.Int,
  failed: Schema.Int,
  failed_index: Schema.NullOr(Schema.Int).annotate({ description: "With `atomic`, the decision for which all others were undone; else null." })
}).annotate({ identifier: "DecisionsResult" })
export type DecisionsResult = typeof DecisionsResult.Type

export class InboxApi extends HttpApiGroup.make("inbox").add(
  HttpApiEndpoint.get("read", "/v1/inbox", { query: InboxQuery, success: InboxPage }).annotateMerge(OpenApi.annotations({
    summary: "Read the proposed timeline",
    description: "Local days with open proposals, each with overlaps and gaps. A proposal belongs to the day in which it starts. "
      + "`next_cursor` is a day: ask for it again with that.",
    transform: examples({ response: { items: [Example.day], next_cursor: null } })
  })),
  HttpApiEndpoint.post("decide", "/v1/inbox/decisions", { payload: DecisionsPayload, success: DecisionsResult })
    .annotateMerge(OpenApi.annotations({
      summary: "Accept, correct or dismiss up to 1,000 proposals",
      description: "One transaction. `accept` makes the entry as it is proposed, with the fields of `entry` instead where they are given; a correction "
        + "of an entry replaces title, description and times of it, and one that is `removed` deletes it. Each decision is carried out or "
        + "refused for itself; with `atomic` all are, or none.",
      transform: examples({ request: Example.decisions, response: Example.decided })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Inbox",
  description: "What was imported and waits for a decision."
})) {}
