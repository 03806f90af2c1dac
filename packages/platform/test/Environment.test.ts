import { assert, describe, it } from "@effect/vitest"
import { telemetry } from "@englog/platform/Environment"
import { ConfigProvider, Effect, Option, Redacted } from "effect"

const read = (env: Record<string, string>) =>
  Effect.provideService(telemetry, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

/** Whether standard output is a terminal is the operating system's to say; here the test says it. */
const onTerminal = <A, E>(isTTY: boolean, effect: Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = process.stdout.isTTY
      process.stdout.isTTY = isTTY
      return before
    }),
    () => effect,
    (before) =>
      Effect.sync(() => {
        process.stdout.isTTY = before
      })
  )

describe("the environment of telemetry", () => {
  it.effect("makes logs for people on a terminal and JSON elsewhere, unless LOG_FORMAT says otherwise", () =>
    Effect.gen(function*() {
      const format = (isTTY: boolean, env: Record<string, string>) => onTerminal(isTTY, Effect.map(read(env), ({ logFormat }) => logFormat))
      assert.strictEqual(yield* format(true, {}), "pretty")
      assert.strictEqual(yield* format(false, {}), "json")
      assert.strictEqual(yield* format(true, { LOG_FORMAT: "auto" }), "pretty")
      assert.strictEqual(yield* format(true, { LOG_FORMAT: "json" }), "json")
      assert.strictEqual(yield* format(false, { LOG_FORMAT: "pretty" }), "pretty")
    }))

  it.effect("takes OpenTelemetry's samplers by their names", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* read({})).sampler, { name: "parentbased_always_on", ratio: 1 })
      const { metricsToken, sampler } = yield* read({
        OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.1",
        METRICS_TOKEN: "s3cret"
      })
      assert.deepStrictEqual(sampler, { name: "parentbased_traceidratio", ratio: 0.1 })
      assert.strictEqual(Option.getOrUndefined(Option.map(metricsToken, Redacted.value)), "s3cret")
    }))

  it.effect("refuses what it does not know in a sentence that names the variable", () =>
    Effect.gen(function*() {
      const refusal = (env: Record<string, string>) => Effect.map(Effect.flip(read(env)), ({ message }) => message)
      assert.strictEqual(yield* refusal({ LOG_FORMAT: "xml" }), "LOG_FORMAT must be one of auto, json, pretty")
      assert.match(yield* refusal({ OTEL_TRACES_SAMPLER: "sometimes" }), /^OTEL_TRACES_SAMPLER must be one of always_on, .*parentbased_traceidratio$/)
      for (const ratio of ["2", "-0.1", "half"]) {
        assert.strictEqual(yield* refusal({ OTEL_TRACES_SAMPLER_ARG: ratio }), "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1")
      }
    }))
})
