/** Requests as metrics: how many are open, and how long each took until the head of its response was ready. */
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Exit } from "effect"
import { HttpMethod, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { routeOf } from "../RouteTable.ts"

/** nginx's status for a caller who went away before there was an answer. */
const CLIENT_GONE = "499"

export const measured = <E, R>(
  request: HttpServerRequest.HttpServerRequest,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> =>
  Effect.clockWith((clock) => {
    const began = clock.monotonicTimeNanosUnsafe()
    return Metrics.httpActive.adjust({}, 1).pipe(
      Effect.andThen(answer),
      Effect.onExit((exit) => {
        const seconds = Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9
        const status = Exit.isSuccess(exit) ? String(exit.value.status) : CLIENT_GONE
        return Effect.andThen(Metrics.httpActive.adjust({}, -1), Metrics.httpRequests.record({ ...nameOf(request), status }, seconds))
      })
    )
  })

/** Made-up paths and methods are one series together. */
const nameOf = ({ method, url }: HttpServerRequest.HttpServerRequest) => ({
  route: routeOf(url)?.path ?? "unknown",
  method: HttpMethod.isHttpMethod(method) ? method : "other"
})
