/**
 * What is read when somebody looks, not counted as it happens: queue lengths, sessions, states. Nobody looking costs
 * nothing; many looking at once share one reading per second.
 */
import { Context, type Duration, Effect, Fiber, Layer, type Scope } from "effect"

/** One for the process, as Effect's `Metric.MetricRegistry` is, unless a test provides its own. */
export const MetricReaders = Context.Reference<{
  /** A reader sets gauges; it is called for as long as the scope lives. */
  readonly register: (reader: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /** Calls all readers. A reader that hangs or breaks delays nobody for long and hides no other. */
  readonly refresh: Effect.Effect<void>
}>("@englog/platform/telemetry/MetricReaders", { defaultValue: () => make() })

/** A layer that registers one reader for as long as it lives. */
export const metricReader = <R>(reader: Effect.Effect<Effect.Effect<void>, never, R>) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const readers = yield* MetricReaders
    yield* readers.register(yield* reader)
  }))

/** Tells what was read in time; clears what was told before where nothing was: old figures would be lies. */
export const tellOrClear = <A, E>(read: Effect.Effect<A, E>, tell: (value: A) => Effect.Effect<void>, clear: Effect.Effect<void>) =>
  inTime(read, "1500 millis").pipe(
    Effect.matchCauseEffect({ onSuccess: tell, onFailure: () => clear })
  )

const make = () => {
  const readers = new Set<Effect.Effect<void>>()
  const readAll = Effect.suspend(() => Effect.forEach([...readers], read, { concurrency: "unbounded", discard: true })).pipe(
    Effect.withTracerEnabled(false)
  )
  return {
    register: (reader: Effect.Effect<void>) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => readers.add(reader)),
        () => Effect.sync(() => readers.delete(reader))
      )),
    refresh: Effect.runSync(Effect.cachedWithTTL(readAll, "1 second"))
  }
}

const read = (reader: Effect.Effect<void>) =>
  inTime(reader, "2 seconds").pipe(
    Effect.catchCause((cause) =>
      Effect.logDebug("a metric could not be read", cause).pipe(Effect.annotateLogs({ component: "telemetry", operation: "read_metrics" })))
  )

/** Does not wait until what took too long has been interrupted either: a statement that hangs may take its time for that. */
const inTime = <A, E>(effect: Effect.Effect<A, E>, limit: Duration.Input) =>
  Effect.flatMap(Effect.forkDetach(effect), (fiber) =>
    Fiber.join(fiber).pipe(
      Effect.timeout(limit),
      Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
    ))
