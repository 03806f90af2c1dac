/** Traces and metrics of a process by OTLP/HTTP. What has not left yet when it stops is sent then, for two seconds at most. */
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import {
  AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler
} from "@opentelemetry/sdk-trace-base"
import { Effect, Layer } from "effect"
import type { SamplerConfig } from "../Environment.ts"
import { metricsExporter, type MetricsExporterOptions } from "./MetricsExporter.ts"
import { sparingTracer } from "./SparingTracer.ts"
import { traceExporter } from "./TraceExporter.ts"

export interface OtlpOptions extends MetricsExporterOptions {
  readonly sampler: SamplerConfig
}

const EXPORT_INTERVAL_MS = 1_000

export const otlpExport = (options: OtlpOptions): Layer.Layer<never> =>
  Layer.merge(traces(options), metricsExporter(options))

const traces = (options: OtlpOptions): Layer.Layer<never> => {
  const sdk = Layer.unwrap(Effect.map(traceExporter(options.endpoint), (exporter) =>
    NodeSdk.layer(() => ({
      resource: options.resource,
      spanProcessor: new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_INTERVAL_MS }),
      tracerConfig: { sampler: samplerOf(options.sampler) },
      shutdownTimeout: "2 seconds"
    }))))
  return sparingTracer(options.sampler).pipe(Layer.provideMerge(sdk), Layer.provide(Layer.empty))
}

/** As the OpenTelemetry specification names them. */
const samplerOf = ({ name, ratio }: SamplerConfig): Sampler => {
  const root = name.endsWith("always_on") ? new AlwaysOnSampler() : name.endsWith("always_off") ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio)
  return name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root
}
