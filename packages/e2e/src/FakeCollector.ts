/**
 * An OTLP/HTTP receiver: takes JSON on /v1/traces and /v1/metrics as the OpenTelemetry Collector does, and decodes what it
 * is sent.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { createServer } from "node:http"
import { listenOnLoopback } from "./Loopback.ts"

const Value = Schema.Struct({
  stringValue: Schema.optionalKey(Schema.String),
  intValue: Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite])),
  doubleValue: Schema.optionalKey(Schema.Finite),
  boolValue: Schema.optionalKey(Schema.Boolean),
  arrayValue: Schema.optionalKey(Schema.Unknown),
  kvlistValue: Schema.optionalKey(Schema.Unknown)
})
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))

const WireSpan = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  name: Schema.String,
  kind: Schema.Int,
  startTimeUnixNano: Schema.String,
  endTimeUnixNano: Schema.String,
  attributes: Attributes,
  events: Schema.Array(Schema.Struct({ name: Schema.String, attributes: Schema.optionalKey(Attributes) })),
  status: Schema.Struct({ code: Schema.optionalKey(Schema.Int), message: Schema.optionalKey(Schema.String) })
})

const decodeTraces = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({
    resource: Schema.Struct({ attributes: Attributes }),
    scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(WireSpan) }))
  }))
})))

export interface ExportedSpan {
  /** service.name, service.version, service.instance.id … */
  readonly resource: Readonly<Record<string, unknown>>
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  /** Undefined for the root of a trace. */
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of the status, where it is an error. */
  readonly error: string | undefined
  /** Nanoseconds since the epoch. */
  readonly start: bigint
  /** Everything that was sent about this span, as text. */
  readonly raw: string
}

const Point = Schema.Struct({
  attributes: Schema.optionalKey(Attributes),
  asDouble: Schema.optionalKey(Schema.Finite),
  asInt: Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite])),
  count: Schema.optionalKey(Schema.Finite),
  sum: Schema.optionalKey(Schema.Finite)
})
const Points = Schema.optionalKey(Schema.Struct({ dataPoints: Schema.Array(Point) }))

const decodeMetrics = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  resourceMetrics: Schema.Array(Schema.Struct({
    resource: Schema.Struct({ attributes: Attributes }),
    scopeMetrics: Schema.Array(Schema.Struct({
      metrics: Schema.Array(Schema.Struct({
        name: Schema.String,
        unit: Schema.String,
        description: Schema.String,
        gauge: Points,
        sum: Points,
        histogram: Points
      }))
    }))
  }))
})))

export interface ExportedMetric {
  readonly service: string
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly type: "gauge" | "sum" | "histogram"
  /** `value` of a histogram is the number of its observations. */
  readonly points: ReadonlyArray<{ readonly attributes: Readonly<Record<string, unknown>>; readonly value: number }>
}

export class FakeCollector extends Context.Service<FakeCollector, {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string
  readonly spans: ReadonlyArray<ExportedSpan>
  /** What the newest export of each service said. */
  readonly metrics: ReadonlyMap<string, ReadonlyArray<ExportedMetric>>
  readonly trace: (traceId: string) => ReadonlyArray<ExportedSpan>
  /** Refuses connections, and takes them again on the same port. */
  readonly leave: Effect.Effect<void>
  readonly comeBack: Effect.Effect<void>
  /** From now on accepts whatever is sent and answers nothing. */
  readonly hang: Effect.Effect<void>
  /** Requests that were not answered. */
  readonly hanging: () => number
}>()("@englog/e2e/FakeCollector") {
  static readonly layer = Layer.effect(FakeCollector, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const spans: Array<ExportedSpan> = []
  const metrics = new Map<string, ReadonlyArray<ExportedMetric>>()
  let hangs = false
  let hanging = 0
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (chunk: string) => {
      body += chunk
    })
    request.on("end", () => {
      if (hangs) {
        hanging++
        return
      }
      if (request.url === "/v1/traces") spans.push(...decode(body))
      if (request.url === "/v1/metrics") for (const [service, told] of metricsOf(body)) metrics.set(service, told)
      response.writeHead(200, { "content-type": "application/json" })
      response.end("{}")
    })
  })
  const leave = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  const port = yield* Effect.acquireRelease(listenOnLoopback(server), () => leave)
  return FakeCollector.of({
    url: `http://127.0.0.1:${port}`,
    spans,
    metrics,
    trace: (traceId) => spans.filter((span) => span.traceId === traceId),
    leave,
    comeBack: Effect.asVoid(listenOnLoopback(server, port)),
    hang: Effect.sync(() => {
      hangs = true
    }),
    hanging: () => hanging
  })
})

const decode = (body: string): ReadonlyArray<ExportedSpan> =>
  decodeTraces(body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const attributes = toRecord(resource.attributes)
    return scopeSpans.flatMap((scope) =>
      scope.spans.map((span): ExportedSpan => ({
        resource: attributes,
        service: String(attributes["service.name"]),
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId === "" ? undefined : span.parentSpanId,
        name: span.name,
        attributes: toRecord(span.attributes),
        error: span.status.code === 2 ? span.status.message ?? "" : undefined,
        start: BigInt(span.startTimeUnixNano),
        raw: JSON.stringify(span)
      })))
  })

const metricsOf = (body: string) =>
  decodeMetrics(body).resourceMetrics.map(({ resource, scopeMetrics }) => {
    const service = String(toRecord(resource.attributes)["service.name"])
    const told = scopeMetrics.flatMap((scope) => scope.metrics).map(({ description, name, unit, ...kinds }): ExportedMetric => {
      const type = kinds.histogram !== undefined ? "histogram" : kinds.sum !== undefined ? "sum" : "gauge"
      const points = (kinds[type]?.dataPoints ?? []).map(({ asDouble, asInt, attributes, count }) => ({
        attributes: toRecord(attributes ?? []),
        value: Number(count ?? asDouble ?? asInt)
      }))
      return { service, name, unit, description, type, points }
    })
    return [service, told] as const
  })

const toRecord = (attributes: typeof Attributes.Type): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
