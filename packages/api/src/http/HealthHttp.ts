/**
 * `/live`, `/ready`, `/health`. PostgreSQL is the one component that readiness depends on.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import type { ComponentHealth } from "@englog/rpc/http/HealthApi"
import { ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Effect, Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SqlClient } from "effect/sql"
import { HealthChecks } from "./HealthChecks.ts"

const ping = Effect.map(SqlClient.SqlClient, (sql) => sql`SELECT 1 AS one`.pipe(Effect.timeout("2 seconds"), Effect.asVoid))

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
      Effect.as(Effect.logWarning("PostgreSQL does not answer", error), { status: "down", detail: "PostgreSQL does not answer" } as const)
    )
  )
})))

/** Other components join by `HealthChecks.component`. */
export const HealthHttp = { layer: Layer.merge(handlers, database) } as const
