import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Tracer } from "effect"
import { TestApi } from "./TestApi.ts"

const makeTracer = (spans: Array<Tracer.Span>) =>
  Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })

describe("a request's span", () => {
  it.live("continues the caller's trace and is named by its route", () => {
    const spans: Array<Tracer.Span> = []
    return Effect.gen(function*() {
      const { ask } = yield* TestApi
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      yield* ask("GET", "/v1/logs/3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11", { headers: { traceparent, "x-request-id": "r-1" } })
      yield* ask("GET", "/live", { headers: { traceparent } })
      const served = spans.filter((span) => span.kind === "server")
      assert.deepStrictEqual(served.map((span) => span.name), ["GET /v1/logs/:id"])
      const [span] = served
      assert.strictEqual(span?.traceId, "0af7651916cd43dd8448eb211c80319c")
      assert.strictEqual(Option.getOrUndefined(span?.parent ?? Option.none())?.spanId, "b7ad6b7169203331")
      assert.strictEqual(span?.attributes.get("englog.request.id"), "r-1")
      assert.strictEqual(span?.attributes.get("http.response.status_code"), 401)
      assert.isTrue(span?.status._tag === "Ended" && Exit.isSuccess(span.status.exit))
    }).pipe(Effect.provide(TestApi.layer.pipe(Layer.provide(Layer.succeed(Tracer.Tracer, makeTracer(spans))))))
  }, 60_000)
})
