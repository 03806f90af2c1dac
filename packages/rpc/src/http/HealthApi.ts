/**
 * Health for probes and people; nobody has to log in. `/ready` depends on PostgreSQL alone, `/health` tells all.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "./Examples.ts"
import { ServiceUnavailable } from "./HttpErrors.ts"

/** `degraded`: works, but not as well as it should. `unknown`: nobody has been able to tell yet. */
export const ComponentStatus = Schema.Literals(["up", "degraded", "down", "unknown"])
export type ComponentStatus = typeof ComponentStatus.Type

export const ComponentHealth = Schema.Struct({ status: ComponentStatus, detail: Schema.String })
export type ComponentHealth = typeof ComponentHealth.Type

const parts = { timestamp: Schema.DateTimeUtcFromString, components: Schema.Record(Schema.String, ComponentHealth) }

/** `degraded` where a component is down that requests can do without. */
export class HealthReport extends Schema.Class<HealthReport>("HealthReport")({
  status: Schema.Literals(["healthy", "degraded"]),
  ...parts
}) {}

/** A component is down that no request can do without. */
export class UnhealthyReport extends Schema.Class<UnhealthyReport>("UnhealthyReport")({
  status: Schema.Literal("unhealthy"),
  ...parts
}, { httpApiStatus: 503 }) {}

const report = (status: string, database: ComponentStatus) => ({
  status,
  timestamp: "2026-01-05T08:00:00.000Z",
  components: { database: { status: database, detail: database === "up" ? "PostgreSQL answers" : "PostgreSQL does not answer" } }
})

const unhealthy = {
  description: "A component is down that no request can do without.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/UnhealthyReportEncoded" }, example: report("unhealthy", "down") } }
}

export class HealthApi extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("live", "/live", { success: Schema.Struct({ status: Schema.Literal("alive") }) })
    .annotateMerge(OpenApi.annotations({
      summary: "Is the process up?",
      description: "Asks nothing but the process itself.",
      transform: examples({ response: { status: "alive" } })
    })),
  HttpApiEndpoint.get("ready", "/ready", {
    success: Schema.Struct({ status: Schema.Literal("ready") }),
    error: ServiceUnavailable
  }).annotateMerge(OpenApi.annotations({
    summary: "Can it serve requests? 503 while PostgreSQL does not answer.",
    description: "For load balancers; no other component counts.",
    transform: examples({ response: { status: "ready" } })
  })),
  HttpApiEndpoint.get("health", "/health", {
    success: [HealthReport, UnhealthyReport.pipe(HttpApiSchema.status(503))]
  }).annotateMerge(OpenApi.annotations({
      summary: "The state of every component",
      description: "503 where a component is down that no request can do without; otherwise 200, and `degraded` says that some component is down.",
      transform: (operation) => examples({ response: report("healthy", "up") })({ ...operation, responses: { ...operation["responses"], 503: unhealthy } })
    }))
).annotateMerge(OpenApi.annotations({ title: "Health", description: "Probes; no token needed." })) {}
