/**
 * Many callers, one statement: whatever waits while the statements in flight are under way goes into the next one. There is
 * no timer: a lone caller is served at once, and under load the statement's own latency is the window. Each caller is
 * answered after the statement that holds its item; where it writes, after its commit.
 */
import { Deferred, Effect, Exit, Option, Queue, type Scope } from "effect"

export interface BatcherOptions<A, B, E> {
  /** Statements under way at the same time. */
  readonly inFlight: number
  /** Items in one statement at most. */
  readonly maxSize: number
  /** Does all or none; answers for each item, in their order. */
  readonly run: (items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>
  /** Errors that are nobody's fault: whoever is in the batch gets them. After others each item is tried for itself. */
  readonly concernsAll: (error: E) => boolean
}

interface Entry<A, B, E> {
  readonly item: A
  readonly done: Deferred.Deferred<B, E>
}

/** Runs as long as the scope lives. What is offered joins no transaction of its caller. */
export const make = Effect.fnUntraced(function*<A, B, E>(
  options: BatcherOptions<A, B, E>
): Effect.fn.Return<(item: A) => Effect.Effect<B, E>, never, Scope.Scope> {
  const waiting = yield* Queue.unbounded<Entry<A, B, E>>()

  /** One bad item must not fail the others. What failed for want of a database would fail again, each in its turn. */
  const run = (entries: ReadonlyArray<Entry<A, B, E>>): Effect.Effect<void> =>
    Effect.flatMap(Effect.exit(options.run(entries.map((entry) => entry.item))), (exit) =>
      Exit.isFailure(exit) && entries.length > 1 && !Option.exists(Exit.findErrorOption(exit), options.concernsAll)
        ? Effect.forEach(entries, (entry) => run([entry]), { discard: true })
        : Effect.sync(() => {
          entries.forEach((entry, index) => Deferred.doneUnsafe(entry.done, answerTo(exit, index)))
        }))

  const loop = Queue.takeBetween(waiting, 1, options.maxSize).pipe(Effect.flatMap((entries) => Effect.uninterruptible(run(entries))), Effect.forever)
  yield* Effect.forEach(Array.from({ length: options.inFlight }), () => Effect.forkScoped(loop), { discard: true })

  return (item) =>
    Effect.flatMap(Deferred.make<B, E>(), (done) =>
      Effect.andThen(Queue.offer(waiting, { item, done }), Deferred.await(done)))
})

const answerTo = <B, E>(exit: Exit.Exit<ReadonlyArray<B>, E>, index: number): Exit.Exit<B, E> => {
  if (Exit.isFailure(exit)) return Exit.failCause(exit.cause)
  const [answer] = exit.value.slice(index, index + 1).map(Exit.succeed)
  return answer ?? Exit.die(new Error("a batch left items unanswered"))
}
