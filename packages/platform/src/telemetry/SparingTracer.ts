/**
 * Spans of traces that are not sampled cost next to nothing: below a parent that was not sampled, no span of the SDK is
 * made. All that such a span has to know is its trace, which logs and `traceparent` name.
 *
 * Only where the sampler follows the parent: the others ask for each span.
 */
import { Context, Effect, Layer, Option, Tracer } from "effect"
import type { SamplerConfig } from "../Environment.ts"
import { randomHex } from "../RandomHex.ts"

export const sparingTracer = (sampler: SamplerConfig): Layer.Layer<never> =>
  Layer.effect(
    Tracer.Tracer,
    Effect.map(Tracer.Tracer, (sdk) =>
      Tracer.make({
        // No `context`: nothing here asks OpenTelemetry's global API for the current span.
        span: (options) =>
          sampler.name.startsWith("parentbased_") && Option.exists(options.parent, (parent) => !parent.sampled)
            ? new BareSpan(options)
            : sdk.span(options)
      }))
  )

/**
 * Where nothing is exported, spans only name their trace, for logs and for whoever is called. What a caller wants recorded is
 * passed on as wanted.
 */
export const namingTracer: Layer.Layer<never> = Layer.succeed(Tracer.Tracer, Tracer.make({ span: (options) => new BareSpan(options) }))

class BareSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly sampled: boolean
  readonly name: string
  readonly spanId: string
  readonly traceId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations: Context.Context<never>
  readonly kind: Tracer.SpanKind
  readonly links: ReadonlyArray<Tracer.SpanLink> = none
  readonly attributes: ReadonlyMap<string, unknown> = nothing
  status: Tracer.SpanStatus

  constructor(options: Parameters<Tracer.Tracer["span"]>[0]) {
    this.name = options.name
    this.kind = options.kind
    this.parent = options.parent
    this.annotations = options.annotations
    // The nearest span that has an id of its own: nobody will ever look for this one.
    const parent = Option.getOrUndefined(options.parent)
    this.traceId = parent?.traceId ?? randomHex(16)
    this.spanId = parent?.spanId ?? randomHex(8)
    this.sampled = parent?.sampled ?? false
    this.status = { _tag: "Started", startTime: options.startTime }
  }

  end(endTime: bigint, exit: Parameters<Tracer.Span["end"]>[1]): void {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }

  attribute(): void {}
  event(): void {}
  addLinks(): void {}
}

const none: ReadonlyArray<Tracer.SpanLink> = []
const nothing: ReadonlyMap<string, unknown> = new Map()
