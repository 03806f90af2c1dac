/**
 * Goals: how much of what is to be done within a period, and how far it is.
 */
import { ActivityType } from "@englog/domain/entries/LogEntry"
import { Goal, GoalMeasure, GoalWeek } from "@englog/domain/goals/Goal"
import { GoalId, ProjectId } from "@englog/domain/Ids"
import { countDays } from "@englog/domain/users/LocalDays"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { createdWithEtagHeader, ifMatch, ifNoneMatch, unlessKnown, withEtagHeader } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, NotFound, PreconditionFailed } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import { TagName } from "./TagsApi.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** Goals of one user. */
export const MAX_GOALS = 1_000
/** Five years. */
const MAX_GOAL_DAYS = 1_827

export const GoalTarget = Schema.Finite.check(
  Schema.makeFilter<number>((target) =>
    target >= 0.01 && target <= 100_000 && Math.abs(Math.round(target * 100) - target * 100) < 1e-6
      ? undefined
      : "must be from 0.01 to 100000, with two decimals at most", {
    expected: "from 0.01 to 100000, with two decimals at most",
    toJsonSchema: () => [{ minimum: 0.01, maximum: 100_000, multipleOf: 0.01 }, true]
  })
)

/** At least one and at most `max`, each once; left out or null: whatever it is. */
const Linked = <S extends Schema.Top>(item: S, max: number) =>
  Schema.optionalKey(Schema.NullOr(Schema.Array(item).check(
    Schema.makeFilter<ReadonlyArray<S["Type"]>>((items) =>
      items.length === 0
        ? "must name at least one, or be left out"
        : items.length > max
        ? `must name at most ${max}`
        : new Set(items).size < items.length
        ? "must not name one twice"
        : undefined, { expected: `1 to ${max} different ones`, toJsonSchema: () => [{ minItems: 1, maxItems: max, uniqueItems: true }, true] })
  )))

/** Of a goal's period. */
export const withinGoalDays = Schema.makeFilter(({ end_date, start_date }: { readonly start_date: string; readonly end_date: string }) =>
  countDays(start_date, end_date) > MAX_GOAL_DAYS
    ? { path: ["end_date"], issue: `must be at most ${MAX_GOAL_DAYS} days after start_date` }
    : undefined, { toJsonSchema: () => [{}, true] })

export const GoalPayload = Schema.Struct({
  title: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  measure: GoalMeasure,
  target: GoalTarget.annotate({ description: "Hours or entries, as `measure` says." }),
  start_date: LocalDate,
  end_date: LocalDate,
  activity_types: Linked(ActivityType, 10),
  tags: Linked(TagName, 50),
  project_ids: Linked(ProjectId, 50),
  id: ignored,
  user_id: ignored,
  progress: ignored,
  created_at: ignored,
  updated_at: ignored,
  etag: ignored
}).check(
  inOrder("start_date", "end_date"),
  withinGoalDays
).annotate({ identifier: "GoalPayload" })
export type GoalPayload = typeof GoalPayload.Type

export const GoalPage = Page(Goal).annotate({ identifier: "GoalPage" })

export const GoalQuery = Schema.Struct({
  active_on: Schema.optionalKey(LocalDate.annotate({ description: "Only those whose period has this day." })),
  project_id: Schema.optionalKey(ProjectId.annotate({ description: "Only those that are linked to this project." })),
  ...pageQuery
})
export type GoalQuery = typeof GoalQuery.Type

export const GoalHistory = Schema.Struct({ goal_id: GoalId, weeks: Schema.Array(GoalWeek) }).annotate({ identifier: "GoalHistory" })
export type GoalHistory = typeof GoalHistory.Type

const params = { id: GoalId }
const exampleRequest = {
  title: "A day a week for learning",
  measure: "hours",
  target: 100,
  start_date: "2026-01-05",
  end_date: "2026-03-29",
  activity_types: ["learning"],
  tags: null,
  project_ids: null
}
const example = {
  ...exampleRequest,
  id: "e2b0c7d4-7f9b-4f39-8d0e-5a4b1c6f9a77",
  user_id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  description: null,
  progress: { value: 21.5, remaining: 78.5, percent: 21.5, expected: 16.67, on_track: true, status: "active" },
  created_at: "2026-01-05T08:00:00.000Z",
  updated_at: "2026-01-05T08:00:00.000Z",
  etag: "pK3vD9sQm1tX7wLZ0yR2hA"
}
const history = {
  goal_id: example.id,
  weeks: [{ start_date: "2026-01-05", end_date: "2026-01-11", value: 9, cumulative: 9, percent: 9 }]
}
const rules = "An entry counts whole, in the local day in which it starts in your time zone, where its type, one of its tags and its project are among those named."

export class GoalsApi extends HttpApiGroup.make("goals").add(
  HttpApiEndpoint.post("create", "/v1/goals", {
    payload: GoalPayload,
    success: createdWithEtagHeader(Goal),
    error: [BadRequest, Conflict]
  }).annotateMerge(OpenApi.annotations({
    summary: "Set a goal",
    description: `${rules} You can have ${MAX_GOALS} goals.`,
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.get("list", "/v1/goals", { query: GoalQuery, success: GoalPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List goals with their progress, newest first",
      description: "Progress is computed when it is asked for, up to the present moment.",
      transform: examples({ response: { items: [example], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/goals/:id", { params, headers: ifNoneMatch, success: unlessKnown(Goal), error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read a goal with its progress", description: rules, transform: examples({ response: example }) })),
  HttpApiEndpoint.put("update", "/v1/goals/:id", {
    params,
    headers: ifMatch,
    payload: GoalPayload,
    success: withEtagHeader(Goal),
    error: [BadRequest, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace a goal",
    description: "What is left out takes its default.",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.delete("remove", "/v1/goals/:id", { params, headers: ifMatch, success: HttpApiSchema.NoContent, error: [NotFound, PreconditionFailed] })
    .annotateMerge(OpenApi.annotations({
      summary: "Delete a goal",
      description: "Entries, tags and projects stay."
    })),
  HttpApiEndpoint.get("history", "/v1/goals/:id/history", { params, success: GoalHistory, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "A goal's progress week by week",
      description: `All ISO weeks of its period up to the present one, the first and the last cut off where it begins and ends. ${rules}`,
      transform: examples({ response: history })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Goals",
  description: "How much of what is to be done within a period, and how far it is."
})) {}
