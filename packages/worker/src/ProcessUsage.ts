/** What this process uses of its machine, for heartbeats and /health. */
import { Clock, Context, DateTime, Effect, Layer, Ref } from "effect"

export interface Usage {
  /** 0..1 of one core, since the last reading. */
  readonly cpu: number
  /** MiB resident. */
  readonly memory: number
}

export class ProcessUsage extends Context.Service<ProcessUsage, {
  readonly startedAt: DateTime.Utc
  readonly read: Effect.Effect<Usage>
}>()("@englog/worker/ProcessUsage") {
  static readonly layer = Layer.effect(
    ProcessUsage,
    Effect.gen(function*() {
      const startedAt = yield* DateTime.now
      const last = yield* Ref.make({ at: yield* Clock.currentTimeMillis, cpu: cpuMillis(), share: 0 })
      const read = Effect.gen(function*() {
        const at = yield* Clock.currentTimeMillis
        const cpu = cpuMillis()
        const { share } = yield* Ref.updateAndGet(last, (before) =>
          // Two readings within a moment would divide by almost nothing.
          at - before.at < 500
            ? before
            : { at, cpu, share: Math.min(1, Math.max(0, (cpu - before.cpu) / (at - before.at))) })
        return { cpu: share, memory: process.memoryUsage.rss() / 1_048_576 }
      })
      return ProcessUsage.of({ startedAt, read })
    })
  )
}

const cpuMillis = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
