/**
 * Health for probes and people; nobody has to log in. `/ready` depends on PostgreSQL alone, `/health` tells all.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ServiceUnavailable } from "./HttpErrors.ts"

/** `degraded`: works, but not as well as it should. `unknown`: nobody has been able to tell yet. */
export const ComponentStatus = Schema.Literals(["up", "degraded", "down", "unknown"])
export type ComponentStatus = typeof ComponentStatus.Type

export const ComponentHealth = Schema.Struct({ status: ComponentStatus, detail: Schema.String })
export type ComponentHealth = typeof ComponentHealth.Type

const report = { timestamp: Schema.DateTimeUtcFromString, components: Schema.Record(Schema.String, ComponentHealth) }

/** `degraded` where a component is down that requests can do without. */
export class HealthReport extends Schema.Class<HealthReport>("HealthReport")({
  status: Schema.Literals(["healthy", "degraded"]),
  ...report
}) {}

/** A component is down that no request can do without. */
export class UnhealthyReport extends Schema.Class<UnhealthyReport>("UnhealthyReport")({
  status: Schema.Literal("unhealthy"),
  ...report
}, { httpApiStatus: 503 }) {}

const unhealthy = {
  description: "A component is down that no request can do without.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/UnhealthyReportEncoded" } } }
}

export class HealthApi extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("live", "/live", { success: Schema.Struct({ status: Schema.Literal("alive") }) })
    .annotateMerge(OpenApi.annotations({ summary: "Is the process up?" })),
  HttpApiEndpoint.get("ready", "/ready", {
    success: Schema.Struct({ status: Schema.Literal("ready") }),
    error: ServiceUnavailable
  }).annotateMerge(OpenApi.annotations({ summary: "Can it serve requests? 503 while PostgreSQL does not answer." })),
  HttpApiEndpoint.get("health", "/health", {
    success: [HealthReport, UnhealthyReport.pipe(HttpApiSchema.status(503))]
  }).annotateMerge(OpenApi.annotations({
      summary: "The state of every component",
      transform: (operation) => ({ ...operation, responses: { ...operation["responses"], 503: unhealthy } })
    }))
).annotateMerge(OpenApi.annotations({ title: "Health", description: "Probes; no token needed." })) {}
