/**
 * Many callers, one commit: whatever waits while the writes in flight are under way goes into the next one. There is no
 * timer: a lone caller is served at once, and under load the commit's own latency is the window. Each caller is answered
 * after the commit that holds its item.
 */
import { Deferred, Effect, Exit, Option, Queue, type Scope } from "effect"

export interface BatcherOptions<A, E> {
  /** Writes under way at the same time. */
  readonly inFlight: number
  /** Items in one write at most. */
  readonly maxSize: number
  /** Writes all or none. */
  readonly write: (items: ReadonlyArray<A>) => Effect.Effect<void, E>
  /** Errors that are nobody's fault: whoever is in the batch gets them. After others each item is written for itself. */
  readonly concernsAll: (error: E) => boolean
}

interface Entry<A, E> {
  readonly item: A
  readonly done: Deferred.Deferred<void, E>
}

/** Runs as long as the scope lives. */
export const make = Effect.fnUntraced(function*<A, E>(
  options: BatcherOptions<A, E>
): Effect.fn.Return<(item: A) => Effect.Effect<void, E>, never, Scope.Scope> {
  const waiting = yield* Queue.unbounded<Entry<A, E>>()

  /** One bad item must not fail the others. What failed for want of a database would fail again, each in its turn. */
  const write = (entries: ReadonlyArray<Entry<A, E>>): Effect.Effect<void> =>
    Effect.flatMap(Effect.exit(options.write(entries.map((entry) => entry.item))), (exit) =>
      Exit.isFailure(exit) && entries.length > 1 && !Option.exists(Exit.findErrorOption(exit), options.concernsAll)
        ? Effect.forEach(entries, (entry) => write([entry]), { discard: true })
        : Effect.sync(() => {
          for (const entry of entries) Deferred.doneUnsafe(entry.done, exit)
        }))

  const loop = Queue.takeBetween(waiting, 1, options.maxSize).pipe(Effect.flatMap((entries) => Effect.uninterruptible(write(entries))), Effect.forever)
  yield* Effect.forEach(Array.from({ length: options.inFlight }), () => Effect.forkScoped(loop), { discard: true })

  return (item) =>
    Effect.flatMap(Deferred.make<void, E>(), (done) =>
      Effect.andThen(Queue.offer(waiting, { item, done }), Deferred.await(done)))
})
