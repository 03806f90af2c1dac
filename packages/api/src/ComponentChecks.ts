/** What `/health` tells besides the database: the worker cluster, and Redis where one is configured. */
import { Effect, Layer, Option } from "effect"
import { AppConfig } from "./AppConfig.ts"
import { RedisConnection } from "./auth/RedisConnection.ts"
import { ClusterStatus } from "./cluster/ClusterStatus.ts"
import { HealthChecks } from "./http/HealthChecks.ts"
import { Redis } from "effect/persistence"

const workers = HealthChecks.component("workers", Effect.map(ClusterStatus, (cluster) => ({
  essential: false,
  check: cluster.health.pipe(
    Effect.map((health) => ({
      status: health.status === "healthy" ? "up" as const : "degraded" as const,
      detail: `${health.healthy_workers} of ${health.total_workers} workers take tasks; ${health.queued_tasks} wait, ${health.active_tasks} run`
    })),
    Effect.orElseSucceed(() => ({ status: "unknown" as const, detail: "PostgreSQL, which knows the workers, does not answer" }))
  )
})))

const redis = HealthChecks.component("redis", Effect.map(Redis.Redis, (client) => ({
  essential: false,
  check: client.send("PING").pipe(
    Effect.as({ status: "up" as const, detail: "Redis answers" }),
    Effect.orElseSucceed(() => ({ status: "down" as const, detail: "Redis does not answer; limits are counted in this process" }))
  )
})))

export const ComponentChecks = Layer.unwrap(Effect.map(AppConfig, ({ redisUrl }) =>
  Option.match(redisUrl, {
    onNone: () => workers,
    onSome: (url) => Layer.mergeAll(workers, redis.pipe(Layer.provide(RedisConnection.layer(url))))
  })))
