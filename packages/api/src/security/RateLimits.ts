/**
 * Limits on how often something may be tried, per key. One port, two implementations: this process's memory, or Redis for
 * all replicas. Losing Redis loses nothing but precision: memory takes over until it is back.
 */
import { TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, Duration, Effect, Layer, Ref } from "effect"
import { RateLimiter, type Redis } from "effect/persistence"
import { createHash } from "node:crypto"

export interface RateLimit {
  /** Keeps the keys of one limit apart from those of another. */
  readonly name: string
  readonly limit: number
  readonly window: Duration.Duration
}

export class RateLimits extends Context.Service<RateLimits, {
  /** Takes one try. Fails where none is left, with the seconds until there is. */
  readonly take: (limit: RateLimit, key: string) => Effect.Effect<void, TooManyRequests>
  /** Gives one try back, because it turned out not to count. */
  readonly giveBack: (limit: RateLimit, key: string) => Effect.Effect<void>
}>()("@englog/api/security/RateLimits") {
  static readonly layerMemory: Layer.Layer<RateLimits> = Layer.effect(
    RateLimits,
    Effect.map(Effect.suspend(() => memoryLimiter), (memory) => withoutStoreErrors((limit, key, tokens) => consume(memory, limit, coarse(key), tokens)))
  )

  /** Answers from memory while Redis does not answer within half a second, and says so in the log once. */
  static readonly layerRedis: Layer.Layer<RateLimits, never, Redis.Redis> = Layer.effect(
    RateLimits,
    Effect.gen(function*() {
      const memory = yield* memoryLimiter
      const shared = yield* redisLimiter
      const degraded = yield* Ref.make(false)
      const fromMemory = Effect.fnUntraced(function*(problem: unknown, limit: RateLimit, key: string, tokens: number) {
        if (!(yield* Ref.getAndSet(degraded, true))) {
          yield* Effect.logWarning("Redis does not answer: rate limits are counted in this process until it does", problem)
        }
        return yield* consume(memory, limit, coarse(key), tokens)
      })
      return withoutStoreErrors((limit, key, tokens) =>
        consume(shared, limit, key, tokens).pipe(
          Effect.timeout("500 millis"),
          Effect.tap(() => whenRecovered(degraded)),
          Effect.catch((error) =>
            error._tag === "RateLimiterError" && error.reason._tag === "RateLimitExceeded"
              ? Effect.andThen(whenRecovered(degraded), Effect.fail(error))
              : fromMemory(error, limit, key, tokens)
          )
        )
      )
    })
  )
}

const memoryLimiter = Effect.provide(RateLimiter.make, RateLimiter.layerStoreMemory)

const redisLimiter = Effect.provide(RateLimiter.make, RateLimiter.layerStoreRedis({ prefix: "englog:limit:" }))

const whenRecovered = (degraded: Ref.Ref<boolean>) =>
  Effect.flatMap(Ref.getAndSet(degraded, false), (was) => was ? Effect.logInfo("Redis answers again") : Effect.void)

type Consume = (limit: RateLimit, key: string, tokens: number) => Effect.Effect<unknown, RateLimiter.RateLimiterError>

const consume = (limiter: RateLimiter.RateLimiter, limit: RateLimit, key: string, tokens: number) =>
  limiter.consume({ key: `${limit.name}:${key}`, limit: limit.limit, window: limit.window, tokens, algorithm: "fixed-window", onExceeded: "fail" })

const withoutStoreErrors = (consume: Consume): RateLimits["Service"] => ({
  take: (limit, key) =>
    Effect.catch(consume(limit, digest(key), 1), ({ reason }) =>
      reason._tag === "RateLimitExceeded" ? tooMany(reason.retryAfter) : Effect.die(reason)),
  giveBack: (limit, key) => Effect.ignore(consume(limit, digest(key), -1))
})

const tooMany = (retryAfter: Duration.Duration) => {
  const seconds = Math.max(1, Math.ceil(Duration.toSeconds(retryAfter)))
  return Effect.fail(new TooManyRequests({ error: `too many attempts; try again in ${seconds} seconds`, retry_after: seconds }))
}

/** Keys are personal data (addresses): nobody finds them in Redis. */
const digest = (key: string): string => createHash("sha256").update(key).digest("hex")

/** Memory never forgets a counter: 65,536 of them are the bound, whatever keys an attacker invents. */
const coarse = (digest: string): string => digest.slice(0, 4)
