/**
 * Recurring tasks: a task as `/api/background/tasks` takes it, a cron expression and a zone.
 */
import { OrganizationId, ScheduleId, TaskId, UserId } from "@englog/domain/Ids"
import { CatchUp, CronExpression, MAX_CATCH_UP, ScheduleZone } from "@englog/domain/schedules/Recurrence"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { RequiredScope } from "./RequiredScope.ts"
import * as Example from "./ScheduleExamples.ts"
import { StartsTask } from "./StartsTask.ts"
import { RetryPolicyRequest, TaskRequest } from "./TaskRequest.ts"
import { TaskAccepted } from "./TaskView.ts"

const ignored = Schema.optionalKey(Schema.Unknown).pipe(Schema.annotateKey({ readOnly: true, description: "Ignored when written." }))

const withDefault = <S extends Schema.Top>(schema: S, value: S["Type"] & S["Encoded"]) =>
  schema.annotate({ default: value }).pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const { limit: _limit, after: _after, delay: _delay, deadline: _deadline, name: _name, parent: _parent, run_at: _run_at, unique_key: _unique_key, ...task } =
  TaskRequest.fields

export const ScheduleRequest = Schema.Struct({
  ...task,
  name: Schema.optionalKey(Schema.NullOr(TaskRequest.fields.name.schema)),
  deadline: Schema.optionalKey(TaskRequest.fields.deadline.schema.members[0].annotate({
    description: "Seconds from an occurrence until its task must have ended."
  })),
  cron: CronExpression.annotate({
    description: "Five fields (minute hour day month weekday) or six (second first). Where day and weekday are both restricted, either may match."
  }),
  timezone: withDefault(ScheduleZone, "UTC").annotate({
    description: "IANA zone of the expression. A local time that summer time leaves out runs as much later; one that comes twice runs the first time."
  }),
  catch_up: withDefault(CatchUp, "skip").annotate({
    description: "Of occurrences that were missed by more than a minute, because no server ran: none, the last, or all up to catch_up_limit."
  }),
  catch_up_limit: withDefault(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_CATCH_UP }, { expected: `a whole number from 1 to ${MAX_CATCH_UP}` })),
    MAX_CATCH_UP
  ),
  paused: withDefault(Schema.Boolean, false),
  id: ignored,
  user_id: ignored,
  next_run_at: ignored,
  last_run_at: ignored,
  last_task_id: ignored,
  created_at: ignored,
  updated_at: ignored
}).annotate({ identifier: "ScheduleRequest" })
export type ScheduleRequest = typeof ScheduleRequest.Type

export class ScheduleView extends Schema.Class<ScheduleView>("ScheduleView")({
  id: ScheduleId,
  organization_id: OrganizationId,
  /** Whose tasks its tasks are: who created it. */
  user_id: UserId,
  name: Schema.NullOr(Schema.String),
  task_type: Schema.String,
  payload: Schema.Json,
  priority: Schema.Int,
  queue: Schema.String,
  /** Seconds. */
  timeout: Schema.Finite,
  deadline: Schema.Finite,
  result_ttl: Schema.optionalKey(Schema.Finite),
  retry_policy: RetryPolicyRequest,
  cron: Schema.String,
  timezone: Schema.String,
  catch_up: CatchUp,
  catch_up_limit: Schema.Int,
  paused: Schema.Boolean,
  next_run_at: Schema.DateTimeUtcFromString,
  /** The occurrence that was submitted last, and its task. */
  last_run_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  last_task_id: Schema.NullOr(TaskId),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}

export const SchedulePage = Page(ScheduleView).annotate({ identifier: "SchedulePage" })

const params = { id: ScheduleId }
const refused = [BadRequest, Forbidden, NotFound, PayloadTooLarge] as const
const response = examples({ response: Example.schedule })

export class SchedulesApi extends HttpApiGroup.make("schedules").add(
  HttpApiEndpoint.post("create", "/v1/schedules", {
    payload: ScheduleRequest,
    success: HttpApiSchema.WithHeaders(ScheduleView.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [...refused, Conflict]
  }).annotateMerge(OpenApi.annotations({
    summary: "Submit a task again and again",
    description: "Each occurrence is one task, with the unique key `schedule:<id>:<instant>`.",
    transform: examples({ request: Example.request, response: Example.schedule })
  })),
  HttpApiEndpoint.get("list", "/v1/schedules", { query: pageQuery, success: SchedulePage })
    .annotateMerge(OpenApi.annotations({
      summary: "List your organization's schedules, newest first",
      description: "Paused ones too, each with its next occurrence.",
      transform: examples({ response: { items: [Example.schedule], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/schedules/:id", { params, success: ScheduleView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read a schedule",
      description: "With its next occurrence and its last task.",
      transform: response
    })),
  HttpApiEndpoint.put("update", "/v1/schedules/:id", { params, payload: ScheduleRequest, success: ScheduleView, error: refused })
    .annotateMerge(OpenApi.annotations({
      summary: "Replace a schedule",
      description: "What is left out takes its default. Tasks that it has submitted already stay as they are.",
      transform: examples({ request: Example.request, response: Example.schedule })
    })),
  HttpApiEndpoint.delete("remove", "/v1/schedules/:id", { params, success: HttpApiSchema.NoContent, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Delete a schedule; its tasks stay",
      description: "No occurrence is submitted any more."
    })),
  HttpApiEndpoint.post("pause", "/v1/schedules/:id/pause", { params, success: ScheduleView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Submit nothing until it is resumed",
      description: "Its tasks that were submitted already go on.",
      transform: response
    })),
  HttpApiEndpoint.post("resume", "/v1/schedules/:id/resume", { params, success: ScheduleView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Go on with the next occurrence",
      description: "What fell into the pause is not caught up.",
      transform: response
    })),
  HttpApiEndpoint.post("run", "/v1/schedules/:id/run", { params, success: TaskAccepted.pipe(HttpApiSchema.status(202)), error: [NotFound, Conflict] })
    .annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
      summary: "Submit its task now, besides its occurrences",
      description: "Works while it is paused, too.",
      transform: examples({ response: Example.accepted })
    }))
).annotateEndpoints(RequiredScope, "background").middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Schedules",
  description: "Recurring tasks."
})) {}
