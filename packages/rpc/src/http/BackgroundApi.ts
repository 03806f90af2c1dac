/**
 * Background tasks of any kind (seed 002): submit, look, watch, cancel. What a kind asks for is checked before anything is
 * stored. What an administrator does to queues is in QueuesApi.
 */
import { TaskId } from "@englog/domain/Ids"
import { Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import * as Example from "./BackgroundExamples.ts"
import { BackgroundTaskView, TaskLogLine } from "./BackgroundView.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { BulkAccepted, BulkTaskRequest, MAX_BULK, TaskRequest } from "./TaskRequest.ts"
import { LastEventId, TaskSseEvent } from "./TasksApi.ts"
import { StepNumber, TaskAccepted } from "./TaskView.ts"

const params = { id: TaskId }

/** The number of a step: a history is its own cursor. */
const AfterStep = Schema.optionalKey(
  Schema.String.check(Schema.isPattern(/^\d{1,10}$/u, { expected: "the number of a step" })).annotate({
    description: "`next_cursor` of the page before, or the `seq` of the last line that is known."
  }).pipe(Schema.decodeTo(StepNumber, SchemaTransformation.transform({ decode: Number, encode: String })))
)

export const LogsQuery = Schema.Struct({ limit: pageQuery.limit, cursor: AfterStep })
export type LogsQuery = typeof LogsQuery.Type

export const LogsPage = Page(TaskLogLine).annotate({ identifier: "TaskLogsPage" })

const submissionErrors = [BadRequest, Forbidden, NotFound, Conflict, PayloadTooLarge] as const

export class BackgroundApi extends HttpApiGroup.make("background").add(
  HttpApiEndpoint.post("submit", "/api/background/tasks", {
    payload: TaskRequest,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: submissionErrors
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Submit a task of any kind",
    description: "Where its unique key is taken, the first task's id is answered and nothing is stored.",
    transform: examples({ request: Example.request, response: Example.accepted })
  })),
  HttpApiEndpoint.post("submitBulk", "/api/background/tasks/bulk", {
    payload: BulkTaskRequest,
    success: BulkAccepted.pipe(HttpApiSchema.status(202)),
    error: submissionErrors
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: `Submit up to ${MAX_BULK} tasks in one commit`,
    description: "All of them are accepted or none; every problem is named with the task's place in the list, as `tasks[3].payload`.",
    transform: examples({ request: Example.bulkRequest, response: Example.bulkAccepted })
  })),
  HttpApiEndpoint.get("get", "/api/background/tasks/:id", { params, success: BackgroundTaskView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "What a task is doing, and its result",
      description: "`result` is null until it has completed, `error` says why it failed.",
      transform: examples({ response: Example.task })
    })),
  HttpApiEndpoint.get("logs", "/api/background/tasks/:id/logs", { params, query: LogsQuery, success: LogsPage, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "A task's history, oldest first",
      description: "`seq` starts at 1 and has no gaps; `next_cursor` is null where nothing came after the page yet.",
      transform: examples({ response: { items: [Example.logLine], next_cursor: null } })
    })),
  HttpApiEndpoint.get("stream", "/api/background/tasks/:id/stream", {
    params,
    headers: { "last-event-id": LastEventId },
    success: HttpApiSchema.StreamSse({ events: TaskSseEvent }),
    error: NotFound
  }).annotateMerge(OpenApi.annotations({
    summary: "Watch a task (server-sent events)",
    description: "Every step from the first, or after `Last-Event-ID`, until the task has ended. Where steps after that one are no "
      + "longer kept, the event `reset` says so and the stream goes on with what is kept. A stream that ends with the event `stopping` or "
      + "`unauthorized` says `code` and `details` as errors do.",
    transform: examples({ response: Example.event })
  })),
  HttpApiEndpoint.post("cancel", "/api/background/tasks/:id/cancel", { params, success: BackgroundTaskView, error: [NotFound, Conflict] })
    .annotateMerge(OpenApi.annotations({
      summary: "Cancel a task",
      description: "A waiting task is cancelled at once, a running one as soon as its worker has stopped, at the latest after five "
        + "seconds. One that has already ended answers 409.",
      transform: examples({ response: Example.task })
    }))
).annotateEndpoints(RequiredScope, "background").middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Background tasks",
  description: "Work of any kind for the worker cluster."
})) {}
