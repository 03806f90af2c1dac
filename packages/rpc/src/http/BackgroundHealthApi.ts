/** Health of background tasks (seed 002); nobody has to log in. */
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ServiceUnavailable } from "./HttpErrors.ts"
import { examples } from "./Examples.ts"
import { BackgroundHealth } from "./QueueView.ts"

export class BackgroundHealthApi extends HttpApiGroup.make("backgroundHealth").add(
  HttpApiEndpoint.get("health", "/api/background/health", { success: BackgroundHealth, error: ServiceUnavailable })
    .annotateMerge(OpenApi.annotations({
      summary: "Are tasks taken?",
      description: "`unhealthy`: no worker takes any; `degraded`: some worker does not, or tasks wait that nobody could take.",
      transform: examples({ response: { status: "healthy", healthy_workers: 1, queued_tasks: 0, active_tasks: 1, timestamp: "2025-08-01T10:00:15.000Z" } })
    }))
).annotateMerge(OpenApi.annotations({ title: "Health of background tasks", description: "No token needed." })) {}
