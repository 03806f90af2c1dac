/**
 * An ErrorAnswer with the right status for whatever a route leaves unsaid.
 */
import { Cause, Effect } from "effect"
import { HttpServerError, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { databaseOutage } from "../errors/DatabaseOutage.ts"
import { errorBody, failureBody } from "../errors/ErrorBody.ts"
import { shortened } from "../errors/FieldName.ts"
import { bodySentence, bodyTooLarge } from "./RequestBounds.ts"
import { routeOf, tellablePath } from "../RouteTable.ts"

/** The answer itself, or one with its status where it is an error without a JSON body. */
export const withErrorBody = (
  response: HttpServerResponse.HttpServerResponse,
  request: HttpServerRequest.HttpServerRequest
): HttpServerResponse.HttpServerResponse => {
  if (response.status < 400 || response.body._tag === "Stream") return response
  const type = response.headers["content-type"] ?? (response.body._tag === "Empty" ? "" : response.body.contentType ?? "")
  return type.includes("json") ? response : errorBody(response.status, sentenceFor(response.status, request))
}

const sentenceFor = (status: number, request: HttpServerRequest.HttpServerRequest): string => {
  if (status === 415) {
    return `content-type: ${shortened(request.headers["content-type"] ?? "none")} is not supported here; send application/json`
  }
  return status >= 500 ? "internal error" : status === 413 ? bodySentence(request) : "the request was refused"
}

/** What to say when a route fails; its own faults are logged. */
export const answerTo = Effect.fnUntraced(function*<E>(
  cause: Cause.Cause<E>,
  request: HttpServerRequest.HttpServerRequest
) {
  // The caller went away: there is nobody to answer.
  if (Cause.hasInterruptsOnly(cause)) return yield* Effect.failCause(cause)
  const failure = Cause.squash(cause)
  const outage = databaseOutage(failure)
  if (outage !== undefined) {
    yield* Effect.logDebug("the database does not answer", cause)
    return failureBody(outage)
  }
  if (failure instanceof HttpServerError.HttpServerError) {
    const known = answerToServerError(failure, request)
    if (known !== undefined) return known
  }
  yield* Effect.logError(`${request.method} ${shortened(tellablePath(request.url))} failed`, cause)
  return errorBody(500, "internal error")
})

const answerToServerError = (
  failure: HttpServerError.HttpServerError,
  request: HttpServerRequest.HttpServerRequest
): HttpServerResponse.HttpServerResponse | undefined => {
  const path = shortened(tellablePath(request.url))
  switch (failure.reason._tag) {
    case "RouteNotFound": {
      const methods = routeOf(request.url)?.methods
      return methods === undefined
        ? errorBody(404, { error: `no such route: ${request.method} ${path}`, code: "unknown_route" })
        : errorBody(405, `${path} has no method ${request.method}`, { allow: methods.join(", ") })
    }
    case "RequestParseError":
      return failure.reason.reason === "BodyTooLarge" ? bodyTooLarge(request) : errorBody(400, { error: "body: could not be read", code: "malformed_body" })
    default:
      return undefined
  }
}
