/** Dead letters of one's organization, and the end of many tasks at once. */
import { TaskId } from "@englog/domain/Ids"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import * as Example from "./BackgroundExamples.ts"
import {
  CancelFilter, CancelledCounts, DeadLetterDetail, DeadLetterPage, DeadLetterQuery, MAX_CANCELS, MAX_REPLAYS, Replayed, ReplayRequest
} from "./DeadLetterView.ts"
import { examples } from "./Examples.ts"
import { Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { TaskAccepted } from "./TaskView.ts"

const params = { id: TaskId }

export class DeadLettersApi extends HttpApiGroup.make("deadLetters").add(
  HttpApiEndpoint.post("cancelAll", "/api/background/tasks/cancel", { payload: CancelFilter, success: CancelledCounts, error: [Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Cancel open tasks by what they are",
      description: `Waiting and running ones that fit every field that is given, at most ${MAX_CANCELS} with one request.`,
      transform: examples({ request: { queue: "default", state: "pending" }, response: { cancelled: 3, requested: 0, already_ended: 0, more: false } })
    })),
  HttpApiEndpoint.get("list", "/api/background/dead-letters", { query: DeadLetterQuery, success: DeadLetterPage, error: [Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "List tasks that failed for good, newest first",
      description: "Of one organization, your own where none is named.",
      transform: examples({ response: { items: [Example.deadLetter], next_cursor: null } })
    })),
  HttpApiEndpoint.post("replayAll", "/api/background/dead-letters/replay", {
    payload: ReplayRequest,
    success: Replayed.pipe(HttpApiSchema.status(202)),
    error: [Forbidden, NotFound]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Replay all dead letters",
    description: `Or those of a kind or queue; at most ${MAX_REPLAYS} with one request, the newest first.`,
    transform: examples({ request: { queue: "default" }, response: { items: [], more: false, message: "0 tasks queued successfully" } })
  })),
  HttpApiEndpoint.get("get", "/api/background/dead-letters/:id", { params, success: DeadLetterDetail, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Inspect a dead letter",
      description: "With its payload, and how often and how long it was tried.",
      transform: examples({ response: Example.deadLetterDetail })
    })),
  HttpApiEndpoint.post("replay", "/api/background/dead-letters/:id/replay", {
    params,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [NotFound, Conflict, Forbidden]
  }).annotate(StartsTask, true).annotateMerge(OpenApi.annotations({
    summary: "Replay a dead letter",
    description: "A new task with the same payload, policy and limit, whose parent is the old one. The unique key passes to it. A dead letter is replayed once; then 409.",
    transform: examples({ response: Example.accepted })
  }))
).annotateEndpoints(RequiredScope, "background").middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Dead letters",
  description: "What failed for good, and can be tried anew."
})) {}
