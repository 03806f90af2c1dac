/** Handles EXTERNAL_SYNC: hands data to a Webhook node of n8n, and explains what n8n answers where it does not take them. */
import { ExternalSync, MAX_ANSWER_BYTES, SyncInput } from "@englog/domain/tasks/ExternalSync"
import { DateTime, Duration, Effect, Option, Schema } from "effect"
import type { GuardedResponse } from "../web/GuardedFetch.ts"
import { N8nFetch } from "../web/N8nFetch.ts"
import { retryDelay } from "../web/RetryAfter.ts"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(SyncInput))

export const externalSync = Effect.map(N8nFetch, ({ fetch }) =>
  TaskHandler.make(ExternalSync, ({ test }, context) =>
    Effect.gen(function*() {
      const input = yield* Effect.flatMap(context.data, decode).pipe(
        Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause)))
      )
      if (input._tag === "Gone") return yield* new TaskHandler.TaskFailure({ message: input.reason, retryable: false })
      yield* context.progress(25, "Handing the data to n8n")
      const answer = yield* fetch({
        method: "POST",
        url: input.url,
        headers: input.headers,
        body: input.body,
        maxBytes: MAX_ANSWER_BYTES,
        excess: "cut",
        timeout: Duration.seconds(input.timeout)
      }).pipe(Effect.mapError((cause) => new TaskHandler.TaskFailure({ message: `n8n was not reached: ${cause.message}`, retryable: cause.retryable, cause })))
      yield* context.note({ http_status: answer.status })
      if (answer.status < 200 || answer.status > 299) return yield* refused(answer, test, yield* DateTime.now)
      yield* context.progress(90, "The workflow took them")
      return { status: answer.status, response: yield* contentOf(answer), cut: answer.cut }
    })))

/** A workflow that answers nothing answers an empty text. */
const contentOf = ({ body }: GuardedResponse): Effect.Effect<Schema.Json> => {
  const text = new TextDecoder().decode(body).replaceAll("\u0000", "\ufffd")
  return Effect.map(Effect.option(decodeJson(text)), Option.getOrElse(() => text))
}

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))

/** What n8n means by it, in words that tell what to do. Server errors, time-outs and too much at once may pass. */
const refused = ({ headers, status }: GuardedResponse, test: boolean, now: DateTime.Utc): TaskHandler.TaskFailure => {
  const known = meanings.find((meaning) => meaning.status === status)
  const message = known?.means(test) ?? (status < 400 ? "n8n sends us elsewhere: name the URL that it leads to" : "the workflow, or a proxy before it, refused the data")
  return new TaskHandler.TaskFailure({
    message: `n8n answered ${status}: ${message}`,
    retryable: status === 408 || status === 425 || status === 429 || status >= 500,
    retry_after: retryDelay(headers, now)
  })
}

const meanings: ReadonlyArray<{ readonly status: number; readonly means: (test: boolean) => string }> = [
  { status: 401, means: () => "it asks for other credentials; see the connection's auth and the credential of the Webhook node" },
  { status: 403, means: () => "it does not accept the credentials; see the connection's auth and the credential of the Webhook node" },
  {
    status: 404,
    means: (test) =>
      test
        ? "no editor listens at this test URL; press \"Listen for test event\" and try again"
        : "no active workflow listens at this path; activate it, or correct the path"
  },
  { status: 413, means: () => "the data are larger than it takes" },
  { status: 429, means: () => "too much at once; tried again later" },
  { status: 500, means: () => "the workflow failed; see its executions in n8n" }
]
