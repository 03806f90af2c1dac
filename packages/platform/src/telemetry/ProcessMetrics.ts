/** What a process uses of its machine. Read when somebody asks; only garbage collections are counted as they happen. */
import { Clock, Effect, Layer, Predicate } from "effect"
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks"
import { MetricReaders } from "./MetricReaders.ts"
import { Metrics } from "./Metrics.ts"

export const processMetrics = (service: string, version: string): Layer.Layer<never> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const started = (yield* Clock.currentTimeMillis) / 1_000 - process.uptime()
    yield* Metrics.buildInfo.set({ service, version }, 1)
    yield* Metrics.startTime.set({}, started)
    yield* Metrics.cpu.observe({}, () => {
      const { system, user } = process.cpuUsage()
      return (user + system) / 1e6
    })
    yield* Metrics.memory.observe({}, () => process.memoryUsage.rss())
    yield* Metrics.heap.observe({}, () => process.memoryUsage().heapUsed)
    yield* (yield* MetricReaders).register(readDelay(yield* eventLoopDelay))
    yield* garbageCollections
  }))

/** Milliseconds between two looks at the event loop: coarse, because each wakes an idle process. */
const RESOLUTION = 50

/** The monitor measures from one look to the next, in nanoseconds; before its first look it knows nothing. */
const seconds = (nanos: number): number => Number.isFinite(nanos) ? Math.max(0, nanos / 1e9 - RESOLUTION / 1e3) : 0

const readDelay = Effect.fnUntraced(function*(delay: ReturnType<typeof monitorEventLoopDelay>) {
  yield* Metrics.eventLoopDelay.set({ quantile: "0.5" }, seconds(delay.percentile(50)))
  yield* Metrics.eventLoopDelay.set({ quantile: "0.99" }, seconds(delay.percentile(99)))
  yield* Metrics.eventLoopDelay.set({ quantile: "1" }, seconds(delay.max))
  delay.reset()
})

const eventLoopDelay = Effect.acquireRelease(
  Effect.sync(() => {
    const monitor = monitorEventLoopDelay({ resolution: RESOLUTION })
    monitor.enable()
    return monitor
  }),
  (monitor) => Effect.sync(() => monitor.disable())
)

const kinds = new Map<unknown, string>([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weak_callbacks"]
])

const garbageCollections = Effect.gen(function*() {
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) run(Metrics.gc.record({ kind: kindOf(entry) }, entry.duration / 1_000))
      })
      observer.observe({ entryTypes: ["gc"] })
      return observer
    }),
    (observer) => Effect.sync(() => observer.disconnect())
  )
})

const kindOf = (entry: object): string =>
  (Predicate.hasProperty(entry, "detail") && Predicate.hasProperty(entry.detail, "kind") ? kinds.get(entry.detail.kind) : undefined) ?? "other"
