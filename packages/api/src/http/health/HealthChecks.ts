/**
 * The registry of what `/health` tells: whoever runs a component registers a check for it. A check that fails, hangs or
 * breaks is a component that is down.
 */
import { type ComponentHealth, HealthReport, UnhealthyReport } from "@englog/rpc/http/HealthApi"
import { Context, DateTime, Effect, Layer, Scope } from "effect"

export interface HealthCheck {
  readonly check: Effect.Effect<ComponentHealth>
  /** Can no request do without it? Then its being down makes the whole unhealthy (503), not degraded. */
  readonly essential: boolean
}

export class HealthChecks extends Context.Service<HealthChecks, {
  /** Until the scope closes. A later check of the same name takes the place of the earlier one. */
  readonly register: (component: string, check: HealthCheck) => Effect.Effect<void, never, Scope.Scope>
  readonly report: Effect.Effect<HealthReport | UnhealthyReport>
}>()("@englog/api/http/HealthChecks") {
  static readonly layer: Layer.Layer<HealthChecks> = Layer.sync(HealthChecks, () => {
    const checks = new Map<string, HealthCheck>()
    return HealthChecks.of({
      register: (component, check) =>
        Effect.acquireRelease(
          Effect.sync(() => checks.set(component, check)),
          () => Effect.sync(() => checks.get(component) === check && checks.delete(component))
        ),
      report: Effect.suspend(() => run([...checks]))
    })
  })

  /** A layer that registers one component for as long as it lives. */
  static readonly component = <R>(
    name: string,
    make: Effect.Effect<HealthCheck, never, R>
  ): Layer.Layer<never, never, HealthChecks | Exclude<R, Scope.Scope>> =>
    Layer.effectDiscard(Effect.gen(function*() {
      yield* (yield* HealthChecks).register(name, yield* make)
    }))
}

/** A probe that waits longer than this has its answer. */
const patience = "2 seconds"

const run = Effect.fnUntraced(function*(checks: ReadonlyArray<readonly [string, HealthCheck]>) {
  const results = yield* Effect.forEach(checks, ([name, { check, essential }]) =>
    Effect.map(examine(check), (health) => ({ name, health, essential })), { concurrency: "unbounded" })
  const components = Object.fromEntries(results.map(({ name, health }) => [name, health]))
  const timestamp = yield* DateTime.now
  if (results.some(({ health, essential }) => essential && health.status === "down")) {
    return new UnhealthyReport({ status: "unhealthy", timestamp, components })
  }
  const impaired = results.some(({ health }) => health.status === "down" || health.status === "degraded")
  return new HealthReport({ status: impaired ? "degraded" : "healthy", timestamp, components })
})

const examine = (check: Effect.Effect<ComponentHealth>): Effect.Effect<ComponentHealth> =>
  check.pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.succeed<ComponentHealth>({ status: "down", detail: `no answer within ${patience}` })
    }),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logWarning("a health check broke", cause), { status: "down", detail: "the check itself failed" } as const)
    )
  )
