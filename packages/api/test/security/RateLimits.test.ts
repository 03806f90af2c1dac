import { assert, describe, it, layer } from "@effect/vitest"
import { TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, Duration, Effect, Layer, Logger, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { RateLimits } from "../../src/security/RateLimits.ts"
import { cuttableProxy } from "../support/CuttableProxy.ts"
import { eventually } from "../support/WholeApi.ts"
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

    it.effect("says what is left and when all of it is back", () => Effect.gen(function*() {
      const limits = yield* RateLimits
      const limit = freshLimit()
      const quotas = yield* Effect.forEach([1, 2, 3], () => limits.take(limit, "ada"))
      assert.deepStrictEqual(quotas.map((quota) => quota.limit), [3, 3, 3])
      assert.deepStrictEqual(quotas.map(({ remaining }) => remaining), [2, 1, 0])
      for (const [index, { reset }] of quotas.entries()) {
        assert.isAtMost(reset, 10 * (index + 1))
        assert.isAbove(reset, 10 * (index + 1) - 5)
      }
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

const inRedis = (url: string) => RateLimits.layerRedis.pipe(Layer.provide(RedisConnection.layer(Redacted.make(url))))

const losesAndRegains = (redis: URL) => {
  const messages: Array<string> = []
  const log = Logger.make(({ message }) => { messages.push(String(Array.isArray(message) ? message[0] : message)) })
  const said = (text: string) => messages.filter((message) => message.includes(text)).length

  it.live("count together in Redis, in memory while it is cut off or silent, and together again when it is back", () =>
    Effect.scoped(Effect.gen(function*() {
      const proxy = yield* cuttableProxy(redis.hostname, Number(redis.port || 6379))
      const replica = (url: string) => Effect.map(Layer.build(Layer.fresh(inRedis(url))), Context.get(RateLimits))
      const here = yield* replica(`redis://127.0.0.1:${proxy.port}`)
      const there = yield* replica(redis.href)
      const shared = freshLimit()
      yield* here.take(shared, "ada")
      yield* there.take(shared, "ada")
      assert.strictEqual((yield* here.take(shared, "ada")).remaining, 0)
      assert.instanceOf(yield* Effect.flip(there.take(shared, "ada")), TooManyRequests)

      for (const [index, lose] of [proxy.freeze, proxy.cut].entries()) {
        yield* lose
        const alone = freshLimit()
        yield* Effect.orDie(Effect.timeout(here.take(alone, "ada"), "2 seconds"))
        // From now on nobody waits for Redis: a hundred tries take less than one timeout.
        const many = { ...freshLimit(), limit: 100 }
        yield* Effect.orDie(Effect.timeout(Effect.repeat(here.take(many, "ada"), { times: 99 }), "400 millis"))
        assert.instanceOf(yield* Effect.flip(here.take(many, "ada")), TooManyRequests)
        assert.strictEqual((yield* there.take(alone, "ada")).remaining, 2)
        assert.strictEqual(said("rate limits are counted in this process"), index + 1)

        yield* proxy.restore
        yield* eventually(Effect.sync(() => said("Redis answers again")), (times) => times === index + 1)
        assert.strictEqual((yield* here.take(alone, "ada")).remaining, 1)
      }
    })).pipe(Effect.provide(Logger.layer([log]))), 30_000)
}

describe("rate limits", () => {
  conforms("in memory", RateLimits.layerMemory)

  const redis = process.env["TEST_REDIS_URL"]
  if (redis === undefined) {
    it.skip("in Redis (SKIPPED: TEST_REDIS_URL is not set)", () => {})
    it.skip("that lose Redis and have it again (SKIPPED: TEST_REDIS_URL is not set)", () => {})
  } else {
    conforms("in Redis", inRedis(redis))
    losesAndRegains(new URL(redis))
  }

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
