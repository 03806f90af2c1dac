/**
 * Metrics by OTLP/HTTP, every ten seconds and when the process stops. One export is under way at most; a receiver that
 * does not answer in time gets the next one.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Duration, Effect, Layer } from "effect"
import { HttpClient, HttpClientError } from "effect/http"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { MetricReaders } from "./MetricReaders.ts"
import { isForeign } from "./MetricsRoute.ts"
import { outageLog } from "./Outage.ts"

export interface MetricsExporterOptions {
  readonly endpoint: string
  readonly resource: { readonly serviceName: string; readonly serviceVersion: string; readonly attributes: Record<string, string> }
}

/** Time between two exports. */
export const EXPORT_INTERVAL = Duration.seconds(10)
/** One try, and what a stop waits for the last one. */
const EXPORT_LIMIT = Duration.seconds(5)
const SHUTDOWN_LIMIT = Duration.seconds(2)

export const metricsExporter = (options: MetricsExporterOptions): Layer.Layer<never> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const url = `${options.endpoint}/v1/metrics`
    const { refresh } = yield* MetricReaders
    const { flush } = yield* OtlpExporter.Flusher
    const client = reporting(yield* HttpClient.HttpClient, yield* outageLog("metrics", url))
    yield* OtlpMetrics.make({
      url,
      resource: options.resource,
      // When to export is decided below, because the readers have their turn before.
      exportInterval: Duration.infinity,
      shutdownTimeout: SHUTDOWN_LIMIT
    }).pipe(Effect.provideService(HttpClient.HttpClient, client))
    yield* Effect.andThen(refresh, flush).pipe(Effect.andThen(Effect.sleep(EXPORT_INTERVAL)), Effect.forever, Effect.forkScoped)
  })).pipe(Layer.provide([OtlpExporter.layerFlusher, serialization, NodeHttpClient.layerNodeHttp]))

const reporting = (client: HttpClient.HttpClient, note: (error: Error | undefined) => void): HttpClient.HttpClient =>
  client.pipe(
    HttpClient.transform((response, request) =>
      Effect.timeoutOrElse(response, {
        duration: EXPORT_LIMIT,
        orElse: () =>
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({ request, description: `no answer within ${Duration.format(EXPORT_LIMIT)}` })
          })
      })),
    HttpClient.filterStatusOk,
    HttpClient.tap(() => Effect.sync(() => note(undefined))),
    HttpClient.tapError((error) => Effect.sync(() => note(error)))
  )

/** A unit is a field of the metric in OTLP; as an attribute of each of its points it would be a label. */
const serialization = Layer.effect(
  OtlpSerialization.OtlpSerialization,
  Effect.map(OtlpSerialization.OtlpSerialization, (json) =>
    OtlpSerialization.OtlpSerialization.of({
      ...json,
      metrics: (data) => {
        for (const { scopeMetrics } of data.resourceMetrics) {
          for (const scope of scopeMetrics) scope.metrics = scope.metrics.filter(({ name }) => !isForeign(name))
          for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
            for (const point of [metric.gauge, metric.sum, metric.histogram].flatMap((kind) => kind?.dataPoints ?? [])) {
              point.attributes = (point.attributes ?? []).filter(({ key }) => key !== "unit")
            }
          }
        }
        return json.metrics(data)
      }
    }))
).pipe(Layer.provide(OtlpSerialization.layerJson))
