/**
 * The OTLP exporter of this project's processes. It sends what a span is about and never what went through it: of an error
 * it keeps the type and where it happened, because messages quote what users wrote; of a URL everything but the query. And it is quiet: a collector that does
 * not answer is told once per outage, and costs nothing else.
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base"
import { Effect } from "effect"
import { Attribute } from "./Attributes.ts"
import { framesOf } from "./ErrorText.ts"
import { outageLog } from "./Outage.ts"

/** One try, retries included. Spans of a batch that cannot be sent in this time are lost. */
const EXPORT_LIMIT_MS = 5_000

export const traceExporter = Effect.fnUntraced(function*(endpoint: string) {
  const url = `${endpoint.replace(/\/+$/, "")}/v1/traces`
  const otlp = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_LIMIT_MS })
  const note = yield* outageLog("traces", url)
  const exporter: SpanExporter = {
    export: (spans, done) =>
      otlp.export(spans.map(withoutText), (result) => {
        note(result.error)
        done(result)
      }),
    forceFlush: () => otlp.forceFlush(),
    shutdown: () => otlp.shutdown()
  }
  return exporter
})

/** The span as it is, but for the text of its errors and for what was searched for in a URL. */
const withoutText = (span: ReadableSpan): ReadableSpan => {
  const query = Attribute.urlQuery in span.attributes
  if (span.events.length === 0 && span.status.message === undefined && !query) return span
  const events = span.events.map((event) =>
    event.name === "exception" ? { ...event, attributes: { ...whatAndWhere(event.attributes) } } : event)
  const type = events.find((event) => event.name === "exception")?.attributes?.[Attribute.exceptionType]
  const { message: _, ...status } = span.status
  const replaced: ReadableSpan = Object.create(span, {
    ...(query ? { attributes: { value: withoutQuery(span.attributes) } } : {}),
    events: { value: events },
    status: { value: typeof type === "string" ? { ...status, message: type } : status }
  })
  return replaced
}

const withoutQuery = (attributes: ReadableSpan["attributes"]): ReadableSpan["attributes"] => {
  const { [Attribute.urlQuery]: _, [Attribute.urlFull]: url, ...others } = attributes
  return typeof url === "string" ? { ...others, [Attribute.urlFull]: url.split("?", 1)[0] ?? "" } : others
}

const whatAndWhere = (attributes: ReadableSpan["attributes"] = {}): ReadableSpan["attributes"] => {
  const type = attributes[Attribute.exceptionType]
  const stack = attributes[Attribute.exceptionStacktrace]
  return {
    ...(type === undefined ? {} : { [Attribute.exceptionType]: type }),
    ...(typeof stack === "string" ? { [Attribute.exceptionStacktrace]: framesOf(stack) } : {})
  }
}
