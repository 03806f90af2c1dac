/**
 * `GET /metrics` in Prometheus' text format. With a token it is for whoever sends it as `Authorization: Bearer`; without
 * one for this machine alone, and for no request that a proxy passed on.
 */
import { Effect, Layer, Option, Redacted } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { createHash, timingSafeEqual } from "node:crypto"
import { MetricReaders } from "./MetricReaders.ts"

export type MetricsToken = Option.Option<Redacted.Redacted<string>>

export const metricsRoute = (token: MetricsToken): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const { refresh } = yield* MetricReaders
    const page = Effect.andThen(refresh, PrometheusMetrics.format()).pipe(
      Effect.map((text) => HttpServerResponse.text(ownLines(text), { contentType: "text/plain; version=0.0.4; charset=utf-8" }))
    )
    yield* router.add("GET", "/metrics", (request) => refusal(request, token) ?? page)
  }))

/** What a library counts for itself is in no registry of ours: nobody knows what it means, nor whether it stays. */
export const isForeign = (name: string): boolean => name.startsWith("effect_")

const ownLines = (text: string): string =>
  text.split("\n").filter((line) => !isForeign(line.replace(/^# (HELP|TYPE) /, ""))).join("\n")

const refusal = (request: HttpServerRequest.HttpServerRequest, token: MetricsToken) => {
  if (Option.isSome(token)) {
    return equal(request.headers["authorization"] ?? "", `Bearer ${Redacted.value(token.value)}`)
      ? undefined
      : refused(401, "authorization: must be Bearer with the METRICS_TOKEN of this process")
  }
  const direct = request.headers["x-forwarded-for"] === undefined && request.headers["forwarded"] === undefined
  return direct && Option.exists(request.remoteAddress, isLoopback)
    ? undefined
    : refused(403, "metrics are for this machine only; set METRICS_TOKEN to read them from elsewhere")
}

const refused = (status: number, error: string) =>
  Effect.succeed(HttpServerResponse.jsonUnsafe({ error }, { status }))

const isLoopback = (address: string): boolean => address === "::1" || /^(::ffff:)?127\./.test(address)

/** In constant time, whatever their lengths. */
const equal = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))
const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
