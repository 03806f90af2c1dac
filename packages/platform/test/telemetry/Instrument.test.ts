import { assert, describe, it } from "@effect/vitest"
import { counter, gauge, histogram, MAX_SERIES } from "@englog/platform/telemetry/Instrument"
import { Effect, Layer, Metric } from "effect"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"

const options = { help: "For this test", unit: "count", by: "api", of: "process" } as const

/** Values of its own for each test. */
const own = Layer.sync(Metric.MetricRegistry, () => new Map())

const lines = Effect.map(PrometheusMetrics.format(), (text) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#")))

describe("an instrument", () => {
  it.effect("has no more series than its bound, whatever label values it is given", () =>
    Effect.gen(function*() {
      const hostile = counter({ ...options, name: "hostile_total", labels: ["path"] })
      yield* Effect.forEach(Array.from({ length: MAX_SERIES * 3 }), (_, index) => hostile.add({ path: `/${index}` }))
      const told = yield* lines
      assert.lengthOf(told, MAX_SERIES + 1)
      assert.include(told, `hostile_total{path="other"} ${MAX_SERIES * 2}`)
    }).pipe(Effect.provide(own)))

  it.effect("without labels is told before anything happened, so that its first increase is seen", () =>
    Effect.gen(function*() {
      const quiet = counter({ ...options, name: "quiet_total", labels: [] })
      const labelled = counter({ ...options, name: "labelled_total", labels: ["kind"] })
      yield* Effect.all([quiet.begin, labelled.begin])
      assert.deepStrictEqual(yield* lines, ["quiet_total 0"])
    }).pipe(Effect.provide(own)))

  it.effect("that is replaced tells no series that is gone", () =>
    Effect.gen(function*() {
      const queues = gauge({ ...options, name: "queues", labels: ["queue"] })
      yield* queues.replace([[{ queue: "a" }, 1], [{ queue: "b" }, 2]])
      yield* queues.replace([[{ queue: "b" }, 3]])
      assert.deepStrictEqual(yield* lines, [`queues{queue="b"} 3`])
    }).pipe(Effect.provide(own)))

  it.effect("that is observed is read when somebody looks, for as long as its scope lives", () =>
    Effect.gen(function*() {
      const observed = counter({ ...options, name: "observed_total", labels: [] })
      let value = 1
      yield* Effect.gen(function*() {
        yield* observed.observe({}, () => value)
        value = 7
        assert.deepStrictEqual(yield* lines, ["observed_total 7"])
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(yield* lines, [])
    }).pipe(Effect.provide(own)))

  it.effect("with a unit has it in its name alone, not as a label", () =>
    Effect.gen(function*() {
      const times = histogram({ ...options, name: "times_seconds", unit: "seconds", labels: ["route"], boundaries: [1] })
      yield* times.record({ route: "/a\"b" }, 0.5)
      assert.deepStrictEqual(yield* lines, [
        `times_seconds_bucket{route="/a\\"b",le="1"} 1`,
        `times_seconds_bucket{route="/a\\"b",le="+Inf"} 1`,
        `times_seconds_sum{route="/a\\"b"} 0.5`,
        `times_seconds_count{route="/a\\"b"} 1`
      ])
    }).pipe(Effect.provide(own)))
})
