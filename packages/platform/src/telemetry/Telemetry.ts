/**
 * Telemetry of a process, set up at the edge of its main.ts: structured logs, metrics that can be read, and traces and
 * metrics exported by OTLP where an endpoint is configured. Without one, spans still have ids, so that a request's trace can
 * be named.
 */
import { Effect, Layer, Logger, Option, References } from "effect"
import { randomUUID } from "node:crypto"
import type { TelemetryConfig } from "../Environment.ts"
import { Attribute } from "./Attributes.ts"
import { jsonLogger, prettyLogger } from "./JsonLogger.ts"
import { Metrics } from "./Metrics.ts"
import { processMetrics } from "./ProcessMetrics.ts"
import { namingTracer } from "./SparingTracer.ts"
import type { OtlpOptions } from "./Otlp.ts"

export interface TelemetryOptions extends TelemetryConfig {
  readonly service: "api" | "worker" | "demo"
  readonly serviceVersion: string
}

const layer = (options: TelemetryOptions): Layer.Layer<never> =>
  // The last export, at the stop, still has everything to tell.
  otlp(options).pipe(
    Layer.provideMerge(metrics(options)),
    Layer.provideMerge(logs(options))
  )

/** Logs alone, for programs that are no service. */
const logs = (options: Pick<TelemetryConfig, "logLevel" | "logFormat">): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([options.logFormat === "json" ? jsonLogger : prettyLogger]),
    Layer.succeed(References.MinimumLogLevel, minimumLevel[options.logLevel])
  )

export const Telemetry = { layer, logs } as const

const nameOf = ({ service }: TelemetryOptions): string => `englog-${service}`

const metrics = (options: TelemetryOptions) =>
  Layer.merge(
    processMetrics(nameOf(options), options.serviceVersion),
    Layer.effectDiscard(Effect.forEach(Object.values(Metrics), (metric) =>
      metric.by === "both" || metric.by === options.service ? metric.begin : Effect.void, { discard: true }))
  )

/** The exporters are loaded only where they are used: they cost memory and start-up time. */
const otlp = (options: TelemetryOptions): Layer.Layer<never> =>
  Option.match(options.endpoint, {
    onNone: () => namingTracer,
    onSome: (endpoint) =>
      Layer.unwrap(Effect.map(Effect.promise(() => import("./Otlp.ts")), ({ otlpExport }) => {
        const settings: OtlpOptions = {
          endpoint,
          sampler: options.sampler,
          resource: {
            serviceName: nameOf(options),
            serviceVersion: options.serviceVersion,
            attributes: { [Attribute.serviceInstanceId]: randomUUID() }
          }
        }
        return otlpExport(settings)
      }))
  })

const minimumLevel = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None"
} as const
