import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { HealthChecks } from "../../src/http/health/HealthChecks.ts"

const up = Effect.succeed({ status: "up", detail: "fine" } as const)
const down = Effect.succeed({ status: "down", detail: "gone" } as const)

const withChecks = <A, E, R>(test: Effect.Effect<A, E, R>) => Effect.provide(Effect.scoped(test), HealthChecks.layer)

describe("health", () => {
  it.effect("is as good as its components", () => withChecks(Effect.gen(function*() {
    const checks = yield* HealthChecks
    yield* checks.register("database", { check: up, essential: true })
    assert.strictEqual((yield* checks.report).status, "healthy")
    yield* checks.register("redis", { check: down, essential: false })
    assert.strictEqual((yield* checks.report).status, "degraded")
    yield* checks.register("database", { check: down, essential: true })
    const report = yield* checks.report
    assert.strictEqual(report.status, "unhealthy")
    assert.deepStrictEqual(report.components["redis"], { status: "down", detail: "gone" })
  })))

  it.effect("does not mind a component of which nobody knows yet", () => withChecks(Effect.gen(function*() {
    const checks = yield* HealthChecks
    yield* checks.register("model", { check: Effect.succeed({ status: "unknown", detail: "no worker yet" }), essential: false })
    assert.strictEqual((yield* checks.report).status, "healthy")
  })))

  it.effect("counts a check that breaks or hangs as down", () => withChecks(Effect.gen(function*() {
    const checks = yield* HealthChecks
    yield* checks.register("broken", { check: Effect.die("oops"), essential: false })
    yield* checks.register("hanging", { check: Effect.never, essential: false })
    const report = yield* Effect.forkChild(checks.report)
    yield* TestClock.adjust("2 seconds")
    const { components } = yield* Fiber.join(report)
    assert.deepStrictEqual(components["broken"], { status: "down", detail: "the check itself failed" })
    assert.deepStrictEqual(components["hanging"], { status: "down", detail: "no answer within 2 seconds" })
  })))

  it.effect("forgets a component that is gone", () => withChecks(Effect.gen(function*() {
    const checks = yield* HealthChecks
    yield* Effect.scoped(checks.register("passing", { check: down, essential: true }))
    assert.deepStrictEqual((yield* checks.report).components, {})
  })))
})
