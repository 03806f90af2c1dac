/** Wake-ups between the servers of a simulation: at once on the server itself; on others most of the time, for they may be lost. */
import { type Topic, Wakeups } from "@englog/api/queue/Wakeups"
import { Effect, Layer, Queue, Random } from "effect"

type Subscribers = Map<string, Set<Queue.Queue<void>>>

export class Bell {
  readonly #servers = new Set<Subscribers>()

  readonly layer = Layer.effect(Wakeups, Effect.gen({ self: this }, function*() {
    const own: Subscribers = new Map()
    yield* Effect.acquireRelease(Effect.sync(() => this.#servers.add(own)), () => Effect.sync(() => this.#servers.delete(own)))
    const ring = (server: Subscribers, topics: ReadonlyArray<Topic>) => {
      for (const topic of topics) for (const queue of server.get(topic) ?? []) Queue.offerUnsafe(queue, undefined)
    }
    return Wakeups.of({
      wake: (...topics) =>
        Effect.gen({ self: this }, function*() {
          ring(own, topics)
          for (const server of this.#servers) if (server !== own && (yield* Random.next) > LOST) ring(server, topics)
        }),
      subscribe: (topic) =>
        Effect.acquireRelease(
          Effect.tap(Queue.sliding<void>(1), (queue) => Effect.sync(() => void own.set(topic, (own.get(topic) ?? new Set()).add(queue)))),
          (queue) => Effect.sync(() => void own.get(topic)?.delete(queue))
        )
    })
  }))
}

const LOST = 0.2
