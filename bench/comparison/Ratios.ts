/** Ours beside the others, from medians: what the bars of the project are set for. */

/** Medians by metric and system. */
export type Medians = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Above 1 ours is ahead where more is better; below 1 where less is. NaN where one side was not measured. */
export interface Ratios {
  readonly enqueue_single: number
  readonly enqueue_rpc: number
  readonly enqueue_bulk: number
  readonly drain_10: number
  readonly drain_50: number
  readonly drain_50_held: number
  readonly drain_10_held_vs_raw: number
  readonly pickup_p50: number
  readonly steady_p99: number
  readonly cpu: number
  readonly history: number
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}

/** `peers`: systems that keep their jobs in PostgreSQL. */
export const ratiosOf = (medians: Medians, peers: ReadonlyArray<string>): Ratios => {
  const of = (metric: string, system: string) => medians[metric]?.[system] ?? Number.NaN
  const ofPeers = (...metrics: ReadonlyArray<string>) =>
    metrics.flatMap((metric) => peers.map((peer) => of(metric, peer))).filter((value) => !Number.isNaN(value))
  const most = (...metrics: ReadonlyArray<string>) => Math.max(...orNothing(ofPeers(...metrics)))
  const least = (metric: string) => Math.min(...orNothing(ofPeers(metric)))
  return {
    enqueue_single: of("enqueue_single", "englog") / most("enqueue_single"),
    enqueue_rpc: of("enqueue_rpc", "englog-rpc") / most("enqueue_single"),
    enqueue_bulk: of("enqueue_bulk", "englog") / most("enqueue_bulk"),
    // The best of them, however it holds its slots.
    drain_10: of("drain_10", "englog") / most("drain_10", "drain_10_held"),
    drain_50: of("drain_50", "englog") / most("drain_50", "drain_50_held"),
    drain_50_held: of("drain_50_held", "englog-held") / of("drain_50_held", "pg-boss-tuned"),
    drain_10_held_vs_raw: of("drain_10_held", "englog-held") / of("drain_10_held", "raw"),
    pickup_p50: of("pickup_p50_ms", "englog") / least("pickup_p50_ms"),
    steady_p99: of("steady_p99_ms", "englog") / least("steady_p99_ms"),
    cpu: of("cpu_s_per_1000", "englog") / least("cpu_s_per_1000"),
    history: of("drain_50_history", "englog-history") / of("drain_50", "englog")
  }
}

const orNothing = (values: ReadonlyArray<number>) => values.length === 0 ? [Number.NaN] : values

/** At least, or at most. */
export const bars: Readonly<Record<keyof Ratios | "recovery_s", { readonly least: number } | { readonly most: number }>> = {
  enqueue_single: { least: 5 },
  enqueue_rpc: { least: 1 },
  enqueue_bulk: { least: 1.5 },
  drain_10: { least: 1 },
  drain_50: { least: 1 },
  drain_50_held: { least: 2 },
  drain_10_held_vs_raw: { least: 0.8 },
  pickup_p50: { most: 0.9 },
  steady_p99: { most: 0.7 },
  cpu: { most: 0.8 },
  history: { least: 0.9 },
  recovery_s: { most: 8 }
}

export const meets = (bar: (typeof bars)[keyof typeof bars], value: number): boolean => "least" in bar ? value >= bar.least : value <= bar.most
