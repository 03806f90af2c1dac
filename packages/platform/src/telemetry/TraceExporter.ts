/**
 * The OTLP exporter of this project's processes. It sends what a span is about and never what went through it: of an error
 * it keeps the type and where it happened, because messages quote what users wrote; of a URL everything but the query, or its template where it holds a secret. And it is quiet: a collector that does
 * not answer is told once per outage, and costs nothing else.
 */
import type { AttributeValue } from "@opentelemetry/api"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base"
import { Effect } from "effect"
import { Attribute, withheld } from "./Attributes.ts"
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

/** The span as it is, but for the text of its errors and for what is withheld. */
const withoutText = (span: ReadableSpan): ReadableSpan => {
  const attributes = exported(span.attributes)
  if (span.events.length === 0 && span.status.message === undefined && attributes === span.attributes) return span
  const events = span.events.map((event) =>
    event.name === "exception" ? { ...event, attributes: { ...whatAndWhere(event.attributes) } } : event)
  const type = events.find((event) => event.name === "exception")?.attributes?.[Attribute.exceptionType]
  const { message: _, ...status } = span.status
  const replaced: ReadableSpan = Object.create(span, {
    attributes: { value: attributes },
    events: { value: events },
    status: { value: typeof type === "string" ? { ...status, message: type } : status }
  })
  return replaced
}

/** The very same where nothing in them is withheld: most spans have no such attribute. */
const exported = (attributes: ReadableSpan["attributes"]): ReadableSpan["attributes"] => {
  let some = false
  for (const name in attributes) some ||= withheld.has(name) || name === Attribute.urlTemplate
  if (!some) return attributes
  const kept: Record<string, AttributeValue | undefined> = {}
  for (const name in attributes) if (!withheld.has(name)) kept[name] = attributes[name]
  const url = kept[Attribute.urlFull]
  if (typeof url === "string") kept[Attribute.urlFull] = url.split("?", 1)[0] ?? ""
  const template = kept[Attribute.urlTemplate]
  if (template !== undefined) for (const name of [Attribute.urlFull, Attribute.urlPath]) kept[name] = template
  return kept
}

const whatAndWhere = (attributes: ReadableSpan["attributes"] = {}): ReadableSpan["attributes"] => {
  const type = attributes[Attribute.exceptionType]
  const stack = attributes[Attribute.exceptionStacktrace]
  return {
    ...(type === undefined ? {} : { [Attribute.exceptionType]: type }),
    ...(typeof stack === "string" ? { [Attribute.exceptionStacktrace]: framesOf(stack) } : {})
  }
}
