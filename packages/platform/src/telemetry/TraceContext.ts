/** The W3C trace context as tasks carry it: one `traceparent` (https://www.w3.org/TR/trace-context/), empty where there is none. */
import { Effect, Option, Tracer } from "effect"
import { HttpTraceContext } from "effect/http"

const FORM = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** The span that it names. By hand, for it is asked for every task: without the detour over HTTP headers. */
export const parentOf = (traceparent: string): Option.Option<Tracer.ExternalSpan> => {
  const [, traceId, spanId, flags] = FORM.exec(traceparent) ?? []
  return traceId === undefined || spanId === undefined || flags === undefined
    ? Option.none()
    : Option.some(Tracer.externalSpan({ traceId, spanId, sampled: isSet(flags) }))
}

/** Whether somebody records this trace. */
export const isSampled = (traceparent: string): boolean => FORM.test(traceparent) && isSet(traceparent.slice(-2))

/** The lowest bit of the flags is `sampled`. */
const isSet = (flags: string): boolean => (Number.parseInt(flags, 16) & 1) === 1

export const traceparentOf = (span: Tracer.Span): string => HttpTraceContext.toHeaders(span).traceparent ?? ""

/** Of the span that the fiber is in. */
export const currentTraceparent: Effect.Effect<string> = Effect.map(
  Effect.option(Effect.currentSpan),
  Option.match({ onNone: () => "", onSome: traceparentOf })
)
