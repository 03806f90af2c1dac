import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Tracer } from "effect"
import { namingTracer } from "../../src/telemetry/SparingTracer.ts"

const seen = Effect.gen(function*() {
  const span = yield* Effect.currentSpan
  return { traceId: span.traceId, spanId: span.spanId, sampled: span.sampled }
})

describe("spans of a process that exports none", () => {
  it.effect("name a trace of their own, the same for all below, which nobody is asked to record", () => Effect.gen(function*() {
    const both = Effect.all([seen, Effect.withSpan(seen, "below")])
    const [above, below] = yield* Effect.withSpan(both, "root")
    const [other] = yield* Effect.withSpan(both, "root")
    assert.match(above.traceId, /^[0-9a-f]{32}$/)
    assert.match(above.spanId, /^[0-9a-f]{16}$/)
    assert.deepStrictEqual(below, above)
    assert.notStrictEqual(other.traceId, above.traceId)
    assert.isFalse(above.sampled)
  }).pipe(Effect.provide(namingTracer)))

  it.effect("pass on what their caller wants recorded", () => Effect.gen(function*() {
    for (const sampled of [true, false]) {
      const parent = Tracer.externalSpan({ traceId: "1".repeat(32), spanId: "2".repeat(16), sampled })
      assert.deepStrictEqual(yield* Effect.withSpan(seen, "called", { parent }), { traceId: parent.traceId, spanId: parent.spanId, sampled })
    }
    assert.isTrue(Option.isNone(yield* Effect.option(Effect.currentSpan)))
  }).pipe(Effect.provide(namingTracer)))
})
