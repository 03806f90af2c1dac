import { assert, describe, it, layer } from "@effect/vitest"
import { TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Duration, Effect, Layer, Logger, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { RateLimits } from "../../src/security/RateLimits.ts"
import { RedisConnection } from "../../src/security/RedisConnection.ts"

const freshLimit = () => ({ name: `test-${randomUUID()}`, limit: 3, window: Duration.seconds(30) })

/** What holds for every implementation of the port. */
const conforms = (name: string, implementation: Layer.Layer<RateLimits>) =>
  layer(implementation, { excludeTestServices: true })(name, (it) => {
    it.effect("lets as many tries pass as the limit says, then says when to come back", () => Effect.gen(function*() {
      const limits = yield* RateLimits
      const limit = freshLimit()
      yield* Effect.repeat(limits.take(limit, "ada"), { times: 2 })
      const refused = yield* Effect.flip(limits.take(limit, "ada"))
      assert.isAtLeast(refused.retry_after, 1)
      assert.isAtMost(refused.retry_after, 30)
      assert.include(refused.error, "too many attempts")
    }))

    it.effect("counts simultaneous tries one by one", () => Effect.gen(function*() {
      const limits = yield* RateLimits
      const limit = freshLimit()
      const tries = Array.from({ length: 20 }, () => Effect.isSuccess(limits.take(limit, "ada")))
      const passed = yield* Effect.all(tries, { concurrency: "unbounded" })
      assert.lengthOf(passed.filter((ok) => ok), 3)
    }))

    it.effect("keeps keys and limits apart", () => Effect.gen(function*() {
      const limits = yield* RateLimits
      const [limit, other] = [freshLimit(), freshLimit()]
      yield* Effect.repeat(limits.take(limit, "ada"), { times: 2 })
      yield* limits.take(limit, "grace")
      yield* limits.take(other, "ada")
      assert.instanceOf(yield* Effect.flip(limits.take(limit, "ada")), TooManyRequests)
    }))

    it.effect("takes back a try that did not count", () => Effect.gen(function*() {
      const limits = yield* RateLimits
      const limit = freshLimit()
      yield* Effect.repeat(Effect.andThen(limits.take(limit, "ada"), limits.giveBack(limit, "ada")), { times: 9 })
      yield* Effect.repeat(limits.take(limit, "ada"), { times: 2 })
      assert.instanceOf(yield* Effect.flip(limits.take(limit, "ada")), TooManyRequests)
    }))
  })

describe("rate limits", () => {
  conforms("in memory", RateLimits.layerMemory)

  const redis = process.env["TEST_REDIS_URL"]
  if (redis === undefined) it.skip("in Redis (SKIPPED: TEST_REDIS_URL is not set)", () => {})
  else conforms("in Redis", RateLimits.layerRedis.pipe(Layer.provide(RedisConnection.layer(Redacted.make(redis)))))

  it.live("fall back to memory when Redis is away, and say so once", () => {
    const messages: Array<string> = []
    const log = Logger.make(({ message }) => { messages.push(String(Array.isArray(message) ? message[0] : message)) })
    const nowhere = RateLimits.layerRedis.pipe(
      Layer.provide(RedisConnection.layer(Redacted.make("redis://127.0.0.1:1"))),
      Layer.provideMerge(Logger.layer([log]))
    )
    return Effect.gen(function*() {
      const limits = yield* RateLimits
      const limit = freshLimit()
      yield* Effect.repeat(limits.take(limit, "ada"), { times: 2 })
      assert.instanceOf(yield* Effect.flip(limits.take(limit, "ada")), TooManyRequests)
      assert.lengthOf(messages.filter((message) => message.includes("rate limits are counted in this process")), 1)
    }).pipe(Effect.provide(nowhere))
  })
})
