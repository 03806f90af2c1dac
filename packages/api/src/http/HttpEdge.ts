/**
 * The edge of the HTTP server, around every route: request ids, the body limit, and an `{"error": …}` body with the right
 * status for whatever a route leaves unsaid.
 */
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Cause, Context, Effect, Layer } from "effect"
import {
  HttpIncomingMessage, HttpMiddleware, HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse
} from "effect/http"
import * as ByteSize from "effect/ByteSize"
import { clientAddress } from "../security/ClientAddress.ts"
import { RequestOrigin } from "../security/RequestOrigin.ts"
import { databaseOutage } from "./DatabaseOutage.ts"
import { errorBody, retryLater } from "./ErrorBody.ts"
import { shortened } from "./FieldName.ts"
import { headProblem } from "./RequestHead.ts"
import { requestIdOf } from "./RequestId.ts"
import { measured } from "./RequestMetrics.ts"
import { routeOf } from "./RouteTable.ts"

/** 1 MiB: the largest body that is read. */
export const bodyLimit = 1024 * 1024

const edge = <E, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const id = requestIdOf(request.headers)
    yield* Effect.annotateCurrentSpan(Attribute.requestId, id)
    const refused = headProblem(request)
    const answer = isTooLarge(request)
      ? Effect.succeed(tooLarge)
      : refused !== undefined
      ? Effect.succeed(errorBody(refused.status, refused.error))
      : route
    const response = yield* measured(request, answer.pipe(
      Effect.map((answer) => withErrorBody(answer, request)),
      Effect.catchCause((cause) => answerTo(cause, request)),
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyLimit)),
      Effect.provideService(RequestOrigin, { request_id: id, address: clientAddress(request) }),
      Effect.annotateLogs({ component: "http", request_id: id })
    ))
    return HttpServerResponse.setHeaders(response, {
      "x-request-id": id,
      "x-content-type-options": "nosniff",
      ...(response.status === 401 ? { "www-authenticate": "Bearer" } : {}),
      ...(request.url.startsWith("/v1/auth") ? { "cache-control": "no-store" } : {})
    })
  })

const isTooLarge = (request: HttpServerRequest.HttpServerRequest): boolean =>
  Number(request.headers["content-length"] ?? 0) > bodyLimit

/** The rest of the body is not read: the connection cannot serve another request. */
const tooLarge = errorBody(413, `body: must be at most ${bodyLimit} bytes`, { connection: "close" })

const withErrorBody = (
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
  return status >= 500 ? "internal error" : status === 413 ? `body: must be at most ${bodyLimit} bytes` : "the request was refused"
}

const answerTo = Effect.fnUntraced(function*<E>(
  cause: Cause.Cause<E>,
  request: HttpServerRequest.HttpServerRequest
) {
  // The caller went away: there is nobody to answer.
  if (Cause.hasInterruptsOnly(cause)) return yield* Effect.failCause(cause)
  const failure = Cause.squash(cause)
  const outage = databaseOutage(failure)
  if (outage !== undefined) {
    yield* Effect.logDebug("the database does not answer", cause)
    return retryLater(outage, 503)
  }
  if (failure instanceof HttpServerError.HttpServerError) {
    const known = answerToServerError(failure, request)
    if (known !== undefined) return known
  }
  yield* Effect.logError(`${request.method} ${pathOf(request)} failed`, cause)
  return errorBody(500, "internal error")
})

const answerToServerError = (
  failure: HttpServerError.HttpServerError,
  request: HttpServerRequest.HttpServerRequest
): HttpServerResponse.HttpServerResponse | undefined => {
  switch (failure.reason._tag) {
    case "RouteNotFound": {
      const methods = routeOf(request.url)?.methods
      return methods === undefined
        ? errorBody(404, `no such route: ${request.method} ${pathOf(request)}`)
        : errorBody(405, `${pathOf(request)} has no method ${request.method}`, { allow: methods.join(", ") })
    }
    case "RequestParseError":
      return failure.reason.reason === "BodyTooLarge" ? tooLarge : errorBody(400, "body: could not be read")
    default:
      return undefined
  }
}

const pathOf = (request: HttpServerRequest.HttpServerRequest): string => shortened(request.url.split("?", 1)[0] ?? "")

/** Probes would drown everything else. */
const probes = new Set(["/live", "/ready", "/health", "/metrics"])

const tracing = Layer.succeedContext(
  Context.make(HttpMiddleware.TracerDisabledWhen, (request: HttpServerRequest.HttpServerRequest) => probes.has(pathOf(request))).pipe(
    Context.add(HttpMiddleware.SpanNameGenerator, (request: HttpServerRequest.HttpServerRequest) =>
      `${request.method} ${routeOf(request.url)?.path ?? "unknown route"}`)
  )
)

/** `tracing` goes to the server, `layer` to the router. */
export const HttpEdge = { layer: HttpRouter.middleware(edge, { global: true }), tracing } as const
