/**
 * `effect/persistence` Redis over ioredis. Redis is only ever a convenience here: an absent one neither stops the start nor
 * blocks a caller; commands fail at once while it is away, and the connection comes back by itself.
 */
import { Deferred, Effect, Exit, Layer, Redacted } from "effect"
import { Redis } from "effect/persistence"
import { Redis as IORedis } from "ioredis"

const options = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => Math.min(times * 200, 5_000)
}

const failed = (cause: unknown) => new Redis.RedisError({ cause })

export const RedisConnection = {
  layer: (url: Redacted.Redacted<string>): Layer.Layer<Redis.Redis> =>
    Layer.effect(
      Redis.Redis,
      Effect.gen(function*() {
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => quiet(new IORedis(Redacted.value(url), options))),
          (client) => Effect.sync(() => client.disconnect())
        )
        yield* Effect.tryPromise({ try: () => client.connect(), catch: failed }).pipe(
          Effect.timeout("2 seconds"),
          Effect.catch((error) => Effect.logWarning("Redis does not answer; going on without it", error))
        )
        return yield* Redis.make({
          send: sendWith(client),
          connect: Effect.map(dedicated(url), (connection) => ({
            send: sendWith(connection),
            close: Effect.sync(() => connection.disconnect())
          })),
          subscribe: Effect.fnUntraced(function*(channel, onMessage) {
            const ended = yield* Deferred.make<void, Redis.RedisError>()
            const subscriber = yield* Effect.acquireRelease(dedicated(url), (connection) => Effect.sync(() => connection.disconnect()))
            subscriber.on("message", (from, message) => onMessage({ channel: from, message }))
            subscriber.on("end", () => Deferred.doneUnsafe(ended, Exit.fail(failed(new Error("the subscription ended")))))
            return yield* Effect.as(Effect.tryPromise({ try: () => subscriber.subscribe(channel), catch: failed }), Deferred.await(ended))
          })
        })
      })
    )
} as const

/** ioredis reports each failed attempt to connect as an event too; the failed command tells it already. */
const quiet = (client: IORedis): IORedis => client.on("error", () => {})

/** A connection nobody else shares; it does not come back by itself. */
const dedicated = (url: Redacted.Redacted<string>) =>
  Effect.suspend(() => {
    const client = quiet(new IORedis(Redacted.value(url), { ...options, enableOfflineQueue: true, retryStrategy: null }))
    return Effect.as(Effect.tryPromise({ try: () => client.connect(), catch: failed }), client)
  })

const sendWith = (client: IORedis): Redis.Redis["Service"]["send"] => <A>(command: string, ...args: ReadonlyArray<string>) =>
  Effect.tryPromise({ try: () => client.call(command, ...args), catch: failed }).pipe(
    Effect.filterOrFail(isReply<A>, () => failed(new Error(`unexpected reply to ${command}`)))
  )

/** The type of a reply is the caller's claim; Redis itself says nothing about it. */
const isReply = <A>(reply: unknown): reply is A => reply !== undefined
