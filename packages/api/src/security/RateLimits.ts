/**
 * Limits on how often something may be done, per key. One port, two implementations: this process's memory, or Redis for all
 * replicas. Losing Redis loses nothing but precision: memory takes over at once, until Redis is back.
 */
import { TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, Duration, Effect, Layer, Queue, Schedule } from "effect"
import { RateLimiter, Redis } from "effect/persistence"
import { hash } from "node:crypto"
import { BoundedCounters } from "./BoundedCounters.ts"

export interface RateLimit {
  /** Keeps the keys of one limit apart from those of another. */
  readonly name: string
  readonly limit: number
  readonly window: Duration.Duration
}

/** What is left of a limit after a try. */
export interface Quota {
  readonly limit: number
  readonly remaining: number
  /** Seconds until all of it is there again. */
  readonly reset: number
}

export class RateLimits extends Context.Service<RateLimits, {
  /** Takes one try. Fails where none is left, with the seconds until there is. */
  readonly take: (limit: RateLimit, key: string) => Effect.Effect<Quota, TooManyRequests>
  /** Gives one try back, because it turned out not to count. */
  readonly giveBack: (limit: RateLimit, key: string) => Effect.Effect<void>
}>()("@englog/api/security/RateLimits") {
  static readonly layerMemory: Layer.Layer<RateLimits> = Layer.effect(
    RateLimits,
    Effect.map(Effect.suspend(() => memoryLimiter), (memory) => service(consumeFrom(memory)))
  )

  /** Says in the log when it loses Redis and when it has it again. */
  static readonly layerRedis: Layer.Layer<RateLimits, never, Redis.Redis> = Layer.effect(
    RateLimits,
    Effect.gen(function*() {
      const fromMemory = consumeFrom(yield* memoryLimiter)
      const fromRedis = consumeFrom(yield* redisLimiter)
      const redis = yield* Redis.Redis
      const losses = yield* Queue.sliding<RateLimiter.RateLimiterError>(1)
      let away = false

      const lost = (error: RateLimiter.RateLimiterError) => {
        if (away) return
        away = true
        Queue.offerUnsafe(losses, error)
      }
      const watch = Effect.gen(function*() {
        const error = yield* Queue.take(losses)
        yield* Effect.logWarning("Redis does not answer: rate limits are counted in this process until it does", error)
        yield* Effect.retry(redis.send("PING"), Schedule.spaced("1 second"))
        away = false
        yield* Effect.logInfo("Redis answers again: rate limits are counted there")
      })
      yield* Effect.forkScoped(Effect.annotateLogs(Effect.forever(watch), { component: "limits" }))

      return service((limit, key, tokens) =>
        Effect.suspend(() =>
          away
            ? fromMemory(limit, key, tokens)
            : Effect.catch(fromRedis(limit, digest(key), tokens), (error) => {
              if (error.reason._tag === "RateLimitExceeded") return Effect.fail(error)
              lost(error)
              return fromMemory(limit, key, tokens)
            })
        )
      )
    })
  )
}

const memoryLimiter = Effect.provide(RateLimiter.make, BoundedCounters.layer)

const redisLimiter = Effect.provide(RateLimiter.make, RateLimiter.layerStoreRedis({ prefix: "englog:limit:" }))

type Consume = (limit: RateLimit, key: string, tokens: number) => Effect.Effect<RateLimiter.ConsumeResult, RateLimiter.RateLimiterError>

const consumeFrom = (limiter: RateLimiter.RateLimiter): Consume => ({ limit, name, window }, key, tokens) =>
  limiter.consume({ key: `${name}:${key}`, limit, window, tokens, algorithm: "fixed-window", onExceeded: "fail" })

const service = (consume: Consume): RateLimits["Service"] => ({
  take: (limit, key) =>
    Effect.matchEffect(consume(limit, key, 1), {
      onSuccess: ({ limit, remaining, resetAfter }) => Effect.succeed({ limit, remaining, reset: seconds(resetAfter) }),
      onFailure: ({ reason }) => reason._tag === "RateLimitExceeded" ? tooMany(reason.retryAfter) : Effect.die(reason)
    }),
  giveBack: (limit, key) => Effect.ignore(consume(limit, key, -1))
})

const seconds = (duration: Duration.Duration): number => Math.max(1, Math.ceil(Duration.toSeconds(duration)))

const tooMany = (retryAfter: Duration.Duration) => {
  const retry_after = seconds(retryAfter)
  return Effect.fail(new TooManyRequests({ error: `too many attempts; try again in ${retry_after} seconds`, retry_after }))
}

/** Keys are personal data (addresses): nobody finds them in Redis. */
const digest = (key: string): string => hash("sha256", key, "base64url")
