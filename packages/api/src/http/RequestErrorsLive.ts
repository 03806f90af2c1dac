/**
 * The server's side of RequestErrors: refuses what no endpoint can read or store, turns schema errors into a 400 that
 * names the field, and moves `retry_after` into the `Retry-After` header.
 */
import { BadRequest, ServiceUnavailable, TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { RequestErrors } from "@englog/rpc/http/RequestErrors"
import { Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { isUtf8 } from "node:buffer"
import { retryLater } from "./ErrorBody.ts"
import { jsonError, unstorable, unstorableText } from "./JsonBody.ts"
import { describeIssue } from "./RequestProblems.ts"

export const RequestErrorsLive: Layer.Layer<RequestErrors> = Layer.succeed(
  RequestErrors,
  RequestErrors.of((httpEffect, { endpoint }) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const problem = unstorableUrl(request.url) ??
        (endpoint.payload.size > 0 && isJson(request) ? yield* Effect.orDie(bodyProblem(request)) : undefined)
      if (problem !== undefined) return yield* new BadRequest({ error: problem })
      return yield* Effect.catch(httpEffect, (failure) => answer(failure, request))
    })
  )
)

const answer = Effect.fnUntraced(function*<E>(failure: E, request: HttpServerRequest.HttpServerRequest) {
  if (failure instanceof TooManyRequests) return retryLater(failure, 429)
  if (failure instanceof ServiceUnavailable) return retryLater(failure, 503)
  if (!HttpApiError.HttpApiSchemaError.is(failure)) return yield* Effect.fail(failure)
  // What we answer does not fit its own schema: our fault, not the caller's.
  if (failure.kind === "Body" || failure.kind === "ResponseHeaders") return yield* Effect.die(failure.cause)
  const broken = failure.kind === "Payload" && isJson(request) ? jsonError(yield* Effect.orDie(request.text)) : undefined
  return yield* new BadRequest({
    error: broken === undefined ? describeIssue(failure.cause.issue, failure.kind) : `body: is not valid JSON: ${broken}`
  })
})

const bodyProblem = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest) {
  const text = yield* request.text
  // What was no UTF-8 reads as U+FFFD, so only a text with one needs a closer look.
  if (text.includes("\uFFFD") && !isUtf8(Buffer.from(yield* request.arrayBuffer))) return "body: is not valid UTF-8"
  return unstorableText(text)
})

const isJson = (request: HttpServerRequest.HttpServerRequest): boolean =>
  (request.headers["content-type"] ?? "application/json").toLowerCase().includes("json")

const unstorableUrl = (url: string): string | undefined => {
  if (!/%00/.test(url)) return undefined
  const query = url.indexOf("?")
  const named = query < 0 ? undefined : [...new URLSearchParams(url.slice(query))].find(([, value]) => unstorable(value))
  return `${named === undefined ? "path" : named[0]}: must not contain the NUL character`
}
