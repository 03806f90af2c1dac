/**
 * `effect/persistence` Redis over ioredis. Redis is only ever a convenience here: an absent one neither stops the start nor
 * blocks a caller: commands fail at once while it is away and after half a second when it hangs, and the connection comes
 * back by itself.
 */
import { Deferred, Effect, Exit, Layer, Redacted } from "effect"
import { Redis } from "effect/persistence"
import type { Redis as IORedis } from "ioredis"

const failed = (cause: unknown) => new Redis.RedisError({ cause })

export const RedisConnection = {
  layer: (url: Redacted.Redacted<string>): Layer.Layer<Redis.Redis> =>
    Layer.effect(
      Redis.Redis,
      Effect.gen(function*() {
        const open = yield* opener(url)
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => open({ shared: true })),
          (client) => Effect.sync(() => client.disconnect())
        )
        yield* connected(client).pipe(
          Effect.timeout("2 seconds"),
          Effect.catch((error) => Effect.logWarning("Redis does not answer; going on without it", error))
        )
        const dedicated = Effect.suspend(() => connected(open({ shared: false })))
        return yield* Redis.make({
          send: sendWith(client),
          connect: Effect.map(dedicated, (connection) => ({
            send: sendWith(connection),
            close: Effect.sync(() => connection.disconnect())
          })),
          subscribe: Effect.fnUntraced(function*(channel, onMessage) {
            const ended = yield* Deferred.make<void, Redis.RedisError>()
            const subscriber = yield* Effect.acquireRelease(dedicated, (connection) => Effect.sync(() => connection.disconnect()))
            subscriber.on("message", (from, message) => onMessage({ channel: from, message }))
            subscriber.on("end", () => Deferred.doneUnsafe(ended, Exit.fail(failed(new Error("the subscription ended")))))
            return yield* Effect.as(Effect.tryPromise({ try: () => subscriber.subscribe(channel), catch: failed }), Deferred.await(ended))
          })
        })
      })
    )
} as const

/**
 * The client is loaded only where Redis is configured. The shared connection refuses commands while it is away and comes
 * back by itself; a connection of one's own does neither. ioredis reports each failed attempt to connect as an event too:
 * the failed command tells it already.
 */
const opener = (url: Redacted.Redacted<string>) =>
  Effect.map(Effect.promise(() => import("ioredis")), ({ Redis }) => ({ shared }: { readonly shared: boolean }) =>
    new Redis(Redacted.value(url), {
      lazyConnect: true,
      enableOfflineQueue: !shared,
      maxRetriesPerRequest: 1,
      connectTimeout: 2_000,
      // A command that was given up must not be carried out after all when the connection is back.
      ...(shared ? { commandTimeout: COMMAND_TIMEOUT_MS, autoResendUnfulfilledCommands: false } : {}),
      retryStrategy: shared ? (times) => Math.min(times * 200, 5_000) : null
    }).on("error", () => {}))

const COMMAND_TIMEOUT_MS = 500

const connected = (client: IORedis) => Effect.as(Effect.tryPromise({ try: () => client.connect(), catch: failed }), client)

const sendWith = (client: IORedis): Redis.Redis["Service"]["send"] => <A>(command: string, ...args: ReadonlyArray<string>) =>
  Effect.tryPromise({ try: () => client.call(command, ...args), catch: failed }).pipe(
    Effect.filterOrFail(isReply<A>, () => failed(new Error(`unexpected reply to ${command}`)))
  )

/** The type of a reply is the caller's claim; Redis itself says nothing about it. */
const isReply = <A>(reply: unknown): reply is A => reply !== undefined
