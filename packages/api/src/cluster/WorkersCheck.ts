/** What `/health` tells about the worker cluster. */
import { Effect } from "effect"
import { HealthChecks } from "../http/health/HealthChecks.ts"
import { ClusterStatus } from "./ClusterStatus.ts"

export const WorkersCheck = HealthChecks.component("workers", Effect.map(ClusterStatus, (cluster) => ({
  essential: false,
  check: cluster.health.pipe(
    Effect.map((health) => ({
      status: health.status === "healthy" ? "up" as const : "degraded" as const,
      detail: `${health.healthy_workers} of ${health.total_workers} workers take tasks; ${health.queued_tasks} wait, ${health.active_tasks} run`
    })),
    Effect.orElseSucceed(() => ({ status: "unknown" as const, detail: "PostgreSQL, which knows the workers, does not answer" }))
  )
})))
