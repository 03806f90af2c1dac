/**
 * Counters of this process for rate limits. Whatever keys an attacker invents, each limit has at most `CAPACITY` of them;
 * then a counter that has run out makes room for a new one, or else the one that would soonest, which is not that of whoever
 * is close to the limit. The rest is the library's store, which forgets nothing.
 */
import { Duration, Effect, Layer } from "effect"
import { RateLimiter } from "effect/persistence"

interface Counter {
  count: number
  expiresAt: number
}

/** Some 3 MB per limit. */
export const CAPACITY = 32_768

/** How many are looked at to find one that may go. */
const CANDIDATES = 16

export const BoundedCounters = {
  /** Keys are `limit:key`. */
  layer: Layer.effect(
    RateLimiter.RateLimiterStore,
    Effect.map(RateLimiter.RateLimiterStore, (store) => {
      const limits = new Map<string, Map<string, Counter>>()
      return RateLimiter.RateLimiterStore.of({
        ...store,
        fixedWindow: ({ key, limit, refillRate, tokens }) =>
          Effect.clockWith((clock) =>
            Effect.sync(() => {
              const now = clock.currentTimeMillisUnsafe()
              const counter = counterOf(limits, key, now)
              const count = counter.count + tokens
              if (limit === undefined || count <= limit) {
                counter.count = count
                counter.expiresAt += Duration.toMillis(refillRate) * tokens
              }
              return [count, counter.expiresAt - now] as const
            }))
      })
    })
  ).pipe(Layer.provide(RateLimiter.layerStoreMemory))
} as const

const counterOf = (limits: Map<string, Map<string, Counter>>, key: string, now: number): Counter => {
  const name = key.slice(0, key.indexOf(":"))
  const counters = limits.get(name) ?? new Map<string, Counter>()
  limits.set(name, counters)
  const known = counters.get(key)
  if (known !== undefined && known.expiresAt > now) return known
  if (known === undefined && counters.size >= CAPACITY) makeRoom(counters, now)
  const fresh = { count: 0, expiresAt: now }
  counters.set(key, fresh)
  return fresh
}

const makeRoom = (counters: Map<string, Counter>, now: number): void => {
  let victim: { readonly key: string; readonly expiresAt: number } | undefined
  let looked = 0
  for (const [key, { expiresAt }] of counters) {
    if (victim === undefined || expiresAt < victim.expiresAt) victim = { key, expiresAt }
    if (expiresAt <= now || ++looked === CANDIDATES) break
  }
  if (victim !== undefined) counters.delete(victim.key)
}
