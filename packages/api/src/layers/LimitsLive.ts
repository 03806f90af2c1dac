/**
 * Where rate limits are counted: in this process, or in Redis where one is configured. The client library is loaded only
 * then, because it costs 15 MB.
 */
import { Effect, Layer, Option } from "effect"
import { Redis } from "effect/persistence"
import { AppConfig } from "../AppConfig.ts"
import { RateLimits } from "../security/RateLimits.ts"
import { HealthChecks } from "../http/health/HealthChecks.ts"

const health = HealthChecks.component("redis", Effect.map(Redis.Redis, (client) => ({
  essential: false,
  check: client.send("PING").pipe(
    Effect.as({ status: "up" as const, detail: "Redis answers" }),
    Effect.orElseSucceed(() => ({ status: "down" as const, detail: "Redis does not answer; limits are counted in this process" }))
  )
})))

export const LimitsLive = Layer.unwrap(Effect.gen(function*() {
  const { redisUrl } = yield* AppConfig
  if (Option.isNone(redisUrl)) return RateLimits.layerMemory
  const { RedisConnection } = yield* Effect.promise(() => import("../security/RedisConnection.ts"))
  return RateLimits.layerRedis.pipe(Layer.merge(health), Layer.provide(RedisConnection.layer(redisUrl.value)))
}))
