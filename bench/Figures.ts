/** Figures of a run, and how they are told: one JSON line on standard output, the way there on standard error. */
import { Clock, Effect } from "effect"
import * as os from "node:os"

/** Milliseconds, to a hundredth. */
export const rounded = (ms: number): number => Math.round(ms * 100) / 100

/** Nearest rank: the smallest value that at least `share` of all are not above. */
export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

export const distribution = (values: ReadonlyArray<number>) => ({
  p50_ms: rounded(percentile(values, 0.5)),
  p95_ms: rounded(percentile(values, 0.95)),
  p99_ms: rounded(percentile(values, 0.99)),
  max_ms: rounded(Math.max(...values))
})

/** Milliseconds that the effect took, by a clock that only goes forward. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const began = yield* Clock.monotonicTimeNanos
    const value = yield* effect
    return { value, ms: Number((yield* Clock.monotonicTimeNanos) - began) / 1e6 }
  })

export const note = (line: string) => Effect.sync(() => void process.stderr.write(`${line}\n`))

/** The load average tells whether something else was running. */
export const report = (bench: string, figures: Readonly<Record<string, unknown>>) =>
  Effect.sync(() => {
    const machine = { cpus: os.availableParallelism(), load_1m: Math.round((os.loadavg()[0] ?? 0) * 100) / 100, node: process.version }
    process.stdout.write(`${JSON.stringify({ bench, ...figures, machine })}\n`)
  })
