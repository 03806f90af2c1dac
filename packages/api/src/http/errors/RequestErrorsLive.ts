/**
 * The server's side of RequestErrors: refuses what no endpoint can read or store, turns schema errors into a 400 that
 * names the field, and moves `retry_after` into the `Retry-After` header.
 */
import { BadRequest, ServiceUnavailable, TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { RequestErrors } from "@englog/rpc/http/RequestErrors"
import { Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { bodyProblem } from "./BodyProblem.ts"
import { errorBody, retryLater } from "./ErrorBody.ts"
import { shortened } from "./FieldName.ts"
import { describeIssue } from "./RequestProblems.ts"

export const RequestErrorsLive: Layer.Layer<RequestErrors> = Layer.succeed(
  RequestErrors,
  RequestErrors.of((httpEffect, { endpoint }) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const [stray] = endpoint.query === undefined ? parametersOf(request.url) : []
      if (stray !== undefined) return yield* new BadRequest({ error: `unknown query parameter "${shortened(stray)}"` })
      if (endpoint.payload.size > 0) {
        const unread = mediaProblem(request.headers["content-type"])
        if (unread !== undefined) return errorBody(415, unread)
        const problem = bodyProblem(new Uint8Array(yield* Effect.orDie(request.arrayBuffer)))
        if (problem !== undefined) return yield* new BadRequest({ error: problem })
      }
      return yield* Effect.catch(httpEffect, answer)
    })
  )
)

const answer = Effect.fnUntraced(function*<E>(failure: E) {
  if (failure instanceof TooManyRequests) return retryLater(failure, 429)
  if (failure instanceof ServiceUnavailable) return retryLater(failure, 503)
  if (!HttpApiError.HttpApiSchemaError.is(failure)) return yield* Effect.fail(failure)
  // What we answer does not fit its own schema: our fault, not the caller's.
  if (failure.kind === "Body" || failure.kind === "ResponseHeaders") return yield* Effect.die(failure.cause)
  return yield* new BadRequest({ error: describeIssue(failure.cause.issue, failure.kind) })
})

/** The names of its query parameters. */
const parametersOf = (url: string): ReadonlyArray<string> => [...new URLSearchParams(url.split("?", 2)[1] ?? "").keys()]

/** JSON is UTF-8 (RFC 8259, section 8.1), whether the header says so or not. */
const mediaProblem = (type: string | undefined): string | undefined => {
  const [media = "", ...parameters] = (type ?? "").toLowerCase().split(";").map((part) => part.trim())
  if (media !== "application/json") return `content-type: ${type === undefined ? "none" : shortened(type)} is not supported here; send application/json`
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length).replaceAll("\"", "")
  return charset === undefined || charset === "utf-8" || charset === "utf8"
    ? undefined
    : `content-type: charset ${shortened(charset)} is not supported here; send UTF-8`
}
