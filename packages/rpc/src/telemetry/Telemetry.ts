/**
 * Telemetry of a process, set up at the edge of its main.ts: structured logs, and traces exported by OTLP where an endpoint
 * is configured. Without one, spans still have ids, so that a request's trace can be named.
 */
import { Cause, Effect, Layer, Logger, Option, References, Schema } from "effect"

export const LogLevel = Schema.Literals(["trace", "debug", "info", "warn", "error", "fatal", "none"])
export type LogLevel = typeof LogLevel.Type

export const LogFormat = Schema.Literals(["json", "pretty"])
export type LogFormat = typeof LogFormat.Type

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
  Layer.mergeAll(
    Logger.layer([options.logFormat === "json" ? jsonLogger : Logger.consolePretty()]),
    Layer.succeed(References.MinimumLogLevel, minimumLevel[options.logLevel]),
    Option.match(options.endpoint, { onNone: () => Layer.empty, onSome: (endpoint) => traces(options, endpoint) })
  )

export const Telemetry = { layer } as const

/** The SDK is loaded only where it is used: it costs memory and start-up time. */
const traces = (options: TelemetryOptions, endpoint: string): Layer.Layer<never> =>
  Layer.unwrap(Effect.promise(async () => {
    const [NodeSdk, { OTLPTraceExporter }, { BatchSpanProcessor }] = await Promise.all([
      import("@effect/opentelemetry/NodeSdk"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/sdk-trace-base")
    ])
    return NodeSdk.layer(() => ({
      resource: { serviceName: options.serviceName, serviceVersion: options.serviceVersion },
      spanProcessor: new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` }), {
        scheduledDelayMillis: EXPORT_INTERVAL_MS
      }),
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

/** One JSON object per line with the fields of seed 000: timestamp, level, component, operation, ids, message. */
const jsonLogger = Logger.withConsoleLog(Logger.make<unknown, string>((options) => {
  const annotations = options.fiber.getRef(References.CurrentLogAnnotations)
  const message = [options.message].flat().map((part) => typeof part === "string" ? part : describe(part)).join(" ")
  return JSON.stringify({
    timestamp: options.date.toISOString(),
    level: options.logLevel.toUpperCase(),
    ...annotations,
    message,
    ...(options.cause.reasons.length === 0 ? {} : { cause: Cause.pretty(options.cause) })
  })
}))

const describe = (value: unknown): string => value instanceof Error ? value.message : JSON.stringify(value) ?? String(value)
