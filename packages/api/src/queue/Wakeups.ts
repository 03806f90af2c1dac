/**
 * Wake-ups: "something under this topic changed, look at the database". Local subscribers are woken at once; other
 * replicas by NOTIFY, outside the write's transaction, coalesced to one message per `FLUSH_INTERVAL`. A wake-up carries
 * no data and may be spurious or (across replicas) lost, so every subscriber also polls slowly.
 */
import { Channels } from "../db/Channels.ts"
import { Context, Effect, Layer, Queue, Random, Schedule, type Scope } from "effect"
import { warnUnlessOutage } from "../db/Outage.ts"

/**
 * `tasks`: work may be ready. `delayed`: a task waits for its time. `task:<id>`: that task has new events. `cancel`: a running
 * task is to be stopped. `notifications:<user>`: they have new ones. `queues`: their settings changed. `workers`: one was paused or resumed.
 */
export type Topic = "tasks" | "delayed" | "cancel" | "queues" | "workers" | `task:${string}` | `notifications:${string}`

export class Wakeups extends Context.Service<Wakeups, {
  readonly wake: (...topics: ReadonlyArray<Topic>) => Effect.Effect<void>
  /** Takes wait for the next wake-up; those that arrive while nobody takes are merged into one. */
  readonly subscribe: (topic: Topic) => Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope>
}>()("@englog/api/queue/Wakeups") {
  static readonly layer = Layer.effect(
    Wakeups,
    Effect.gen(function*() {
      const channels = yield* Channels
      const origin = (yield* Random.nextInt).toString(36)
      const subscribers = new Map<string, Set<Queue.Queue<void>>>()
      let pending = new Set<string>()
      const flushNeeded = yield* Queue.sliding<void>(1)

      const wakeLocal = (topics: Iterable<string>) =>
        Effect.sync(() => {
          for (const topic of topics) {
            for (const queue of subscribers.get(topic) ?? []) Queue.offerUnsafe(queue, undefined)
          }
        })
      const wakeEverything = Effect.suspend(() => wakeLocal(subscribers.keys()))
      const wakeMarked = (marks: ReadonlySet<string>) =>
        Effect.suspend(() => wakeLocal([...subscribers.keys()].filter((topic) => marks.has(markOf(topic)))))

      /** On their way to the others. */
      let underWay = new Set<string>()
      const tell = Effect.suspend(() => {
        underWay = pending
        pending = new Set()
        return Effect.forEach(encode(origin, underWay), (payload) => channels.notify(CHANNEL, payload), { discard: true })
      }).pipe(Effect.ensuring(Effect.sync(() => {
        underWay = new Set()
      })))
      const flush = Queue.take(flushNeeded).pipe(
        Effect.andThen(tell),
        // Losing a NOTIFY delays other replicas until their next poll; nothing else depends on it.
        Effect.catch((error) => Effect.logDebug("could not notify other replicas", error)),
        Effect.andThen(Effect.sleep(FLUSH_INTERVAL)),
        Effect.forever
      )
      const listen = Effect.scoped(Effect.gen(function*() {
        const notifications = yield* channels.listen(CHANNEL)
        // What was sent while nobody listened is unknown.
        yield* wakeEverything
        while (true) {
          const { payload } = yield* Queue.take(notifications)
          const message = decode(payload)
          if (message.origin === origin) continue
          yield* wakeMarked(message.marks)
        }
      })).pipe(
        Effect.tapCause((cause) => warnUnlessOutage("lost the wake-up connection; polling until it is back", cause)),
        Effect.retry(Schedule.spaced("1 second"))
      )
      yield* Effect.forkScoped(flush)
      yield* Effect.forkScoped(listen)
      // Added last, so that it runs first: a process that ends at once, such as a command, tells what it did before it goes.
      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          for (const topic of underWay) pending.add(topic)
          return pending.size === 0 ? Effect.void : Effect.ignore(Effect.timeout(tell, "1 second"))
        }))

      return Wakeups.of({
        wake: (...topics) =>
          topics.length === 0 ? Effect.void : Effect.andThen(
            wakeLocal(topics),
            Effect.sync(() => {
              for (const topic of topics) pending.add(topic)
              Queue.offerUnsafe(flushNeeded, undefined)
            })
          ),
        subscribe: (topic) =>
          Effect.acquireRelease(
            Queue.sliding<void>(1).pipe(Effect.tap((queue) =>
              Effect.sync(() => {
                const set = subscribers.get(topic) ?? new Set()
                subscribers.set(topic, set.add(queue))
              })
            )),
            (queue) =>
              Effect.sync(() => {
                const set = subscribers.get(topic)
                set?.delete(queue)
                if (set?.size === 0) subscribers.delete(topic)
              })
          )
      })
    })
  )
}

const CHANNEL = "englog_wakeups"

/** At most 40 messages per second and replica, whatever the load: each of them is a commit. The first goes at once. */
const FLUSH_INTERVAL = "25 millis"

/** PostgreSQL refuses NOTIFY payloads of 8,000 bytes and more. */
const MAX_PAYLOAD = 7_880

/**
 * A topic on the wire: 32 bits of FNV-1a (RFC 9923). Two topics with one mark wake each other's subscribers for nothing, which
 * does no harm; long names would make notifications many times as long.
 */
const markOf = (topic: string): string => {
  let hash = 0x811c9dc5
  for (let index = 0; index < topic.length; index++) hash = Math.imul(hash ^ topic.charCodeAt(index), 0x01000193)
  return (hash >>> 0).toString(36)
}

/** As many notifications as the marks need. */
const encode = (origin: string, topics: ReadonlySet<string>): ReadonlyArray<string> => {
  const payloads: Array<string> = []
  let payload = origin
  for (const topic of topics) {
    if (payload.length > MAX_PAYLOAD) {
      payloads.push(payload)
      payload = origin
    }
    payload += ` ${markOf(topic)}`
  }
  return [...payloads, payload]
}

const decode = (payload: string): { readonly origin: string; readonly marks: ReadonlySet<string> } => {
  const [origin = "", ...marks] = payload.split(" ")
  return { origin, marks: new Set(marks) }
}
