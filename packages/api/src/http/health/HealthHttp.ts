/**
 * `/live`, `/ready`, `/health`. PostgreSQL is the one component that readiness depends on.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import type { ComponentHealth } from "@englog/rpc/http/HealthApi"
import { ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Effect, Fiber, Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SqlClient } from "effect/sql"
import { HealthChecks } from "./HealthChecks.ts"

/** Probes get their answer in time: a statement that hangs is left to its own limit, for giving it up takes seconds as well. */
const ping = Effect.map(Effect.all([SqlClient.SqlClient, Effect.scope]), ([sql, scope]) =>
  Effect.forkIn(sql`SELECT 1 AS one`, scope).pipe(Effect.flatMap(Fiber.join), Effect.timeout("1500 millis"), Effect.asVoid))

const handlers = HttpApiBuilder.group(EngLogApi, "health", Effect.fn(function*(handlers) {
  const checks = yield* HealthChecks
  const database = yield* ping
  return handlers.handleAll({
    live: () => Effect.succeed({ status: "alive" } as const),
    ready: () =>
      database.pipe(
        Effect.as({ status: "ready" } as const),
        Effect.mapError(() => new ServiceUnavailable({ error: "PostgreSQL does not answer", retry_after: 2 }))
      ),
    health: () => checks.report
  })
}))

const database = HealthChecks.component("database", Effect.map(ping, (answers) => ({
  essential: true,
  check: answers.pipe(
    Effect.as<ComponentHealth>({ status: "up", detail: "PostgreSQL answers" }),
    Effect.catch((error) =>
      Effect.as(Effect.logDebug("PostgreSQL does not answer", error), { status: "down", detail: "PostgreSQL does not answer" } as const)
    )
  )
})))

/** Other components join by `HealthChecks.component`. */
export const HealthHttp = { layer: Layer.merge(handlers, database) } as const
