/**
 * The edge of the HTTP server, around every route: where a request comes from and its id, what is too large, which other
 * origins may read, the headers of every answer, and an answer to whatever goes wrong.
 */
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option, Semaphore } from "effect"
import {
  Headers, HttpIncomingMessage, HttpMiddleware, HttpRouter, HttpServerRequest, HttpServerResponse
} from "effect/http"
import * as ByteSize from "effect/ByteSize"
import { clientAddress } from "../../security/ClientAddress.ts"
import { RequestOrigin } from "../../security/RequestOrigin.ts"
import { answerHeaders, headersFor } from "./AnswerHeaders.ts"
import { crossOrigin } from "./CrossOrigin.ts"
import { EdgePolicy } from "./EdgePolicy.ts"
import { openAtOnce } from "./EventStreamHead.ts"
import { answerTo, withErrorBody } from "./FailureAnswers.ts"
import { isLarge, largeBodiesAtOnce } from "./RequestBounds.ts"
import { headRefusal } from "./RequestHead.ts"
import { requestIdOf } from "./RequestId.ts"
import { measured } from "./RequestMetrics.ts"
import { exceededAnswer, RequestLimits, withQuota } from "./RequestLimits.ts"
import { failureBody } from "../errors/ErrorBody.ts"
import { bodyLimitOf, isProbe, isRpc, pathOf, routeOf, tellablePath } from "../RouteTable.ts"

const makeEdge = (policy: EdgePolicy, limits: RequestLimits["Service"]) => {
  const everyAnswer = answerHeaders(policy)
  const shared = crossOrigin(policy.corsOrigins)
  const large = Semaphore.makeUnsafe(largeBodiesAtOnce)

  /** Nobody waits with a body half sent. */
  const admitted = <E, R>(request: HttpServerRequest.HttpServerRequest, route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    isLarge(request) ? Effect.map(large.withPermitsIfAvailable(1)(route), Option.getOrElse(() => manyLarge)) : route

  const edge = <E, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const id = requestIdOf(request.headers)
      yield* Effect.annotateCurrentSpan(Attribute.requestId, id)
      // The exporter puts it in the place of the address.
      const tellable = tellablePath(request.url)
      if (tellable !== pathOf(request.url)) yield* Effect.annotateCurrentSpan(Attribute.urlTemplate, tellable)
      const address = clientAddress(request)
      const refused = headRefusal(request)
      const answered = named(route, request, id).pipe(
        Effect.map((answer) => withErrorBody(answer, request)),
        Effect.catchCause((cause) => answerTo(cause, request))
      )
      const limited = refused === undefined
        ? Effect.matchEffect(limits.ofAddress(address, request), {
          onSuccess: (quota) => Effect.map(answered, (answer) => withQuota(answer, quota)),
          onFailure: (exceeded) => Effect.succeed(exceededAnswer(exceeded))
        })
        : Effect.succeed(refused)
      const response = yield* measured(request, shared(request, admitted(request, limited))).pipe(
        Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyLimitOf(request))),
        Effect.provideService(RequestOrigin, { request_id: id, address, user_agent: request.headers["user-agent"] ?? null }),
        Effect.annotateLogs({ component: "http", request_id: id })
      )
      return HttpServerResponse.setHeaders(openAtOnce(response), { "x-request-id": id, ...everyAnswer, ...headersFor(response) })
    })

  return policy.trustedProxies.length === 0
    ? edge
    : <E, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
      HttpMiddleware.xForwardedHeaders({ trustedProxies: policy.trustedProxies })(edge(route))
}

const manyLarge = HttpServerResponse.setHeader(
  failureBody(new ServiceUnavailable({ error: `${largeBodiesAtOnce} large bodies are being read already; try again`, retry_after: 5 })),
  "connection",
  "close"
)

/** RPCs know the headers of their request only: the id they log is the one that is answered. */
const named = <E, R>(
  route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  request: HttpServerRequest.HttpServerRequest,
  id: string
) =>
  isRpc(request.url)
    ? Effect.provideService(route, HttpServerRequest.HttpServerRequest, request.modify({ headers: Headers.set(request.headers, "x-request-id", id) }))
    : route

/** Probes would drown everything else. */
const tracing = Layer.succeedContext(
  Context.make(HttpMiddleware.TracerDisabledWhen, (request: HttpServerRequest.HttpServerRequest) => isProbe(request.url)).pipe(
    Context.add(HttpMiddleware.SpanNameGenerator, (request: HttpServerRequest.HttpServerRequest) =>
      `${request.method} ${routeOf(request.url)?.path ?? "unknown route"}`)
  )
)

/** `tracing` goes to the server, `layer` to the router. */
export const HttpEdge = {
  layer: HttpRouter.middleware(
    Effect.gen(function*() {
      const edge = makeEdge(yield* EdgePolicy, yield* RequestLimits)
      return (route) => edge(route)
    }),
    { global: true }
  ),
  tracing
} as const
