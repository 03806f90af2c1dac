/**
 * Many callers, one statement: whatever waits while the statements in flight are under way goes into the next one. There is
 * no timer: a lone caller is served at once, and under load the statement's own latency is the window. Each caller hands in
 * some items and is answered for them after the statement that holds them; where it writes, after its commit.
 */
import { Deferred, Effect, Exit, Option, Queue, type Scope } from "effect"

export interface BatcherOptions<A, B, E> {
  /** Statements under way at the same time. */
  readonly inFlight: number
  /** Items in one statement at most, unless one caller hands in more. */
  readonly maxSize: number
  /** Does all or none; answers for each item, in their order. */
  readonly run: (items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>
  /** Errors that are nobody's fault: whoever is in the batch gets them. After others each caller is tried for itself. */
  readonly concernsAll: (error: E) => boolean
}

interface Entry<A, B, E> {
  readonly items: ReadonlyArray<A>
  readonly done: Deferred.Deferred<ReadonlyArray<B>, E>
}

/** Runs as long as the scope lives. What is offered joins no transaction of its caller. */
export const make = Effect.fnUntraced(function*<A, B, E>(
  options: BatcherOptions<A, B, E>
): Effect.fn.Return<(items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>, never, Scope.Scope> {
  const waiting = yield* Queue.unbounded<Entry<A, B, E>>()

  /** One bad item must not fail the others. What failed for want of a database would fail again, each in its turn. */
  const run = (entries: ReadonlyArray<Entry<A, B, E>>): Effect.Effect<void> => {
    const [only] = entries
    const items = entries.length === 1 && only !== undefined ? only.items : entries.flatMap((entry) => entry.items)
    return Effect.flatMap(Effect.exit(options.run(items)), (exit) => {
      if (Exit.isSuccess(exit)) return Effect.sync(() => hand(entries, exit.value))
      if (entries.length > 1 && !Option.exists(Exit.findErrorOption(exit), options.concernsAll)) {
        return Effect.forEach(entries, (entry) => run([entry]), { discard: true })
      }
      return Effect.sync(() => entries.forEach((entry) => Deferred.doneUnsafe(entry.done, Exit.failCause(exit.cause))))
    })
  }

  const loop = Queue.takeBetween(waiting, 1, options.maxSize).pipe(
    Effect.flatMap((entries) => Effect.uninterruptible(Effect.forEach(portions(entries, options.maxSize), run, { discard: true }))),
    Effect.forever
  )
  yield* Effect.forEach(Array.from({ length: options.inFlight }), () => Effect.forkScoped(loop), { discard: true })

  return (items) =>
    items.length === 0
      ? Effect.succeed([])
      : Effect.flatMap(Deferred.make<ReadonlyArray<B>, E>(), (done) => {
        Queue.offerUnsafe(waiting, { items, done })
        return Deferred.await(done)
      })
})

/** In order, together as long as their items fit one statement. */
const portions = <A, B, E>(entries: ReadonlyArray<Entry<A, B, E>>, maxSize: number) => {
  const all: Array<Array<Entry<A, B, E>>> = []
  let size = Infinity
  for (const entry of entries) {
    if (size + entry.items.length > maxSize) {
      all.push([])
      size = 0
    }
    all.at(-1)?.push(entry)
    size += entry.items.length
  }
  return all
}

const hand = <A, B, E>(entries: ReadonlyArray<Entry<A, B, E>>, answers: ReadonlyArray<B>) => {
  let from = 0
  for (const { done, items } of entries) {
    const own = answers.slice(from, from + items.length)
    from += items.length
    Deferred.doneUnsafe(done, own.length === items.length ? Exit.succeed(own) : Exit.die(new Error("a batch left items unanswered")))
  }
}
