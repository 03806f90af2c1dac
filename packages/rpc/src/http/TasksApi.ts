/**
 * Background tasks (seeds 000, 001): watch, fetch the result, cancel.
 */
import { TaskId } from "@englog/domain/Ids"
import { Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { StreamEnd } from "./ErrorAnswer.ts"
import { NotFound } from "./HttpErrors.ts"
import { StepNumber, TaskResultView, TaskStep, TaskView } from "./TaskView.ts"
import { examples } from "./Examples.ts"
import * as Example from "./TaskExamples.ts"

const params = { id: TaskId }

export const LastEventId = Schema.optionalKey(
  Schema.String.check(Schema.isPattern(/^\d{1,10}$/u, { expected: "the id of an event" })).annotate({
    description: "The `id` of the last event received; the stream goes on after it."
  }).pipe(Schema.decodeTo(StepNumber, SchemaTransformation.transform({ decode: Number, encode: String })))
)

/**
 * An SSE message: `event` is the step's type, `id` its number. `reset`: steps that were asked for are not kept any more. `ping` comes every 15 s of silence. `stopping` (this server is
 * about to stop) and `unauthorized` (the token no longer holds) are the last event of a stream whose task goes on, with code and details as an error has them.
 */
export const TaskSseEvent = Schema.Struct({
  id: Schema.optional(Schema.String),
  event: Schema.String,
  data: Schema.fromJsonString(Schema.Union([TaskStep, StreamEnd, Schema.Struct({ message: Schema.optionalKey(Schema.String) })]))
})

export class TasksApi extends HttpApiGroup.make("tasks").add(
  HttpApiEndpoint.get("get", "/v1/tasks/:id", { params, success: TaskView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "What a task is doing",
      description: "State and progress, whichever kind it is. The tasks of your organizations.",
      transform: examples({ response: Example.task })
    })),
  HttpApiEndpoint.get("result", "/v1/tasks/:id/result", { params, success: TaskResultView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "A task's result",
      description: "Answers 200 from the start; `status` tells whether there is a result yet.",
      transform: examples({ response: Example.taskResult })
    })),
  HttpApiEndpoint.get("stream", "/v1/tasks/:id/stream", {
    params,
    headers: { "last-event-id": LastEventId },
    success: HttpApiSchema.StreamSse({ events: TaskSseEvent }),
    error: NotFound
  }).annotateMerge(OpenApi.annotations({
    summary: "Watch a task (server-sent events)",
    description: "Every step from the first, or after `Last-Event-ID`, until the task has ended. A late reader sees all. "
      + "A stream that ends with the event `stopping` is resumed by asking again with `Last-Event-ID`; after `unauthorized` "
      + "with a new token. Both say `code` and `details` as errors do.",
    transform: examples({ response: Example.event })
  })),
  HttpApiEndpoint.post("cancel", "/v1/tasks/:id/cancel", { params, success: TaskView, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Cancel a task",
      description: "A waiting task is cancelled at once, a running one as soon as its worker has stopped, at the latest after "
        + "five seconds. A task that has already ended stays as it is.",
      transform: examples({ response: Example.task })
    }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Tasks",
  description: "Slow work, done by the worker cluster."
})) {}
