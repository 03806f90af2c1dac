/**
 * Telemetry of a process, set up at the edge of its main.ts: structured logs, and traces exported by OTLP where an endpoint
 * is configured. Without one, spans still have ids, so that a request's trace can be named.
 */
import { Effect, Layer, Logger, Option, References } from "effect"
import { randomUUID } from "node:crypto"
import type { LogFormat, LogLevel } from "../Environment.ts"
import { Attribute } from "./Attributes.ts"
import { jsonLogger, prettyLogger } from "./JsonLogger.ts"

export interface TelemetryOptions {
  /** `englog-api`, `englog-worker`, … */
  readonly serviceName: string
  readonly serviceVersion: string
  /** Base URL of an OTLP/HTTP receiver, e.g. `http://127.0.0.1:4318`. */
  readonly endpoint: Option.Option<string>
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

const layer = (options: TelemetryOptions): Layer.Layer<never> =>
  Option.match(options.endpoint, { onNone: () => Layer.empty, onSome: (endpoint) => traces(options, endpoint) }).pipe(
    Layer.provideMerge(logs(options))
  )

export const Telemetry = { layer } as const

const logs = (options: TelemetryOptions): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([options.logFormat === "json" ? jsonLogger : prettyLogger]),
    Layer.succeed(References.MinimumLogLevel, minimumLevel[options.logLevel])
  )

/**
 * The SDK is loaded only where it is used: it costs memory and start-up time. What has not left yet when the process
 * stops is sent then, for two seconds at most. Sampling is the SDK's: OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.
 */
const traces = (options: TelemetryOptions, endpoint: string): Layer.Layer<never> =>
  Layer.unwrap(Effect.gen(function*() {
    const [NodeSdk, { BatchSpanProcessor }, { traceExporter }] = yield* Effect.promise(() =>
      Promise.all([import("@effect/opentelemetry/NodeSdk"), import("@opentelemetry/sdk-trace-base"), import("./TraceExporter.ts")]))
    const exporter = yield* traceExporter(endpoint)
    return NodeSdk.layer(() => ({
      resource: {
        serviceName: options.serviceName,
        serviceVersion: options.serviceVersion,
        attributes: { [Attribute.serviceInstanceId]: randomUUID() }
      },
      spanProcessor: new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_INTERVAL_MS }),
      shutdownTimeout: "2 seconds"
    })).pipe(Layer.provide(Layer.empty))
  }))

const EXPORT_INTERVAL_MS = 1_000

const minimumLevel = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None"
} as const
