/**
 * Counters, gauges and histograms with declared names, units and labels, on Effect's Metric. The series of an instrument
 * are bounded: label values beyond the bound are counted together as `other`, whatever a caller does.
 *
 * Where values are kept is the fiber's `Metric.MetricRegistry`; an instrument itself holds none.
 */
import { Context, Effect, Metric, type Scope } from "effect"

export interface InstrumentOptions<Label extends string> {
  /** By Prometheus' conventions: `_total` on counters, the unit at the end of everything measured. */
  readonly name: string
  readonly help: string
  /** `count` of what the name says, or the unit that the name ends in. */
  readonly unit: "count" | "seconds" | "bytes" | "ratio"
  readonly labels: ReadonlyArray<Label>
  /** Who exports it. */
  readonly by: "api" | "worker" | "both"
  /**
   * `process`: what happened in one process; sum over processes. `cluster`: read from the shared database, so that every
   * API process says the same; take the maximum.
   */
  readonly of: "process" | "cluster"
}

export type Labels<Label extends string> = Readonly<Record<Label, string>>

/** Series of one instrument; far more than any honest installation has. */
export const MAX_SERIES = 500

export const counter = <const Label extends string = never>(options: InstrumentOptions<Label>) => {
  const series = seriesOf(options, (name, more) => Metric.counter(name, { ...more, incremental: true }))
  return {
    ...options,
    type: "counter" as const,
    /** Series with no labels start at zero, so that their first increase is seen. */
    begin: options.labels.length === 0 ? Effect.asVoid(Metric.value(series(() => ""))) : Effect.void,
    add: (labels: Labels<Label>, amount = 1): Effect.Effect<void> => Metric.update(series((label) => labels[label]), amount),
    /** Reads a count that is kept elsewhere, whenever somebody asks, for as long as the scope lives. */
    observe: (labels: Labels<Label>, read: () => number): Effect.Effect<void, never, Scope.Scope> =>
      observed(series((label) => labels[label]), () => ({ count: read(), incremental: true }))
  }
}

export const gauge = <const Label extends string = never>(options: InstrumentOptions<Label>) => {
  const series = seriesOf(options, (name, more) => Metric.gauge(name, more))
  const known = new WeakMap<Metric.MetricRegistry, ReadonlySet<Metric.Gauge<number>>>()
  return {
    ...options,
    type: "gauge" as const,
    begin: Effect.void,
    set: (labels: Labels<Label>, value: number): Effect.Effect<void> => Metric.update(series((label) => labels[label]), value),
    adjust: (labels: Labels<Label>, by: number): Effect.Effect<void> => Metric.modify(series((label) => labels[label]), by),
    observe: (labels: Labels<Label>, read: () => number): Effect.Effect<void, never, Scope.Scope> =>
      observed(series((label) => labels[label]), () => ({ value: read() })),
    /** Sets these series and removes all others that were set this way: what is gone is not told any more. */
    replace: (values: ReadonlyArray<readonly [Labels<Label>, number]>): Effect.Effect<void> =>
      Effect.contextWith((context: Context.Context<never>) =>
        Effect.sync(() => {
          const registry = Context.get(context, Metric.MetricRegistry)
          const now = new Set<Metric.Gauge<number>>()
          for (const [labels, value] of values) {
            const one = series((label) => labels[label])
            now.add(one)
            one.updateUnsafe(value, context)
          }
          for (const gone of known.get(registry) ?? []) if (!now.has(gone)) Metric.removeUnsafe(gone, context)
          known.set(registry, now)
        })
      )
  }
}

export const histogram = <const Label extends string = never>(
  options: InstrumentOptions<Label> & { readonly boundaries: ReadonlyArray<number> }
) => {
  const series = seriesOf(options, (name, more) => Metric.histogram(name, { ...more, boundaries: options.boundaries }))
  return {
    ...options,
    type: "histogram" as const,
    begin: options.labels.length === 0 ? Effect.asVoid(Metric.value(series(() => ""))) : Effect.void,
    record: (labels: Labels<Label>, ...values: ReadonlyArray<number>): Effect.Effect<void> =>
      Effect.contextWith((context: Context.Context<never>) => {
        const one = series((label) => labels[label])
        for (const value of values) one.updateUnsafe(value, context)
        return Effect.void
      })
  }
}

interface SeriesOptions {
  readonly description: string
  readonly attributes: Metric.Metric.AttributeSet
}

/** One metric per set of label values, made once: the attributes of a series are not put together again at each update. */
const seriesOf = <Label extends string, M>(
  { help, labels, name, unit }: InstrumentOptions<Label>,
  make: (name: string, options: SeriesOptions) => M
) => {
  const made = new Map<string, M>()
  const makeOne = (valueOf: (label: Label) => string): M => {
    // Effect's exporters take the unit from here; counts and ratios have none.
    const attributes: Record<string, string> = unit === "seconds" || unit === "bytes" ? { unit } : {}
    for (const label of labels) attributes[label] = valueOf(label)
    return make(name, { description: help, attributes })
  }
  return (valueOf: (label: Label) => string): M => {
    let key = ""
    for (const label of labels) key += `${valueOf(label)}\u0000`
    const found = made.get(key)
    if (found !== undefined) return found
    const full = made.size >= MAX_SERIES
    const metric = makeOne(full ? () => "other" : valueOf)
    if (!full) made.set(key, metric)
    return metric
  }
}

const observed = <Input, State>(metric: Metric.Metric<Input, State>, read: () => State) =>
  Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.sync(() => Metric.registerUnsafe(metric, context, { get: read, update: () => {}, modify: () => {} }))),
    (registration) => Effect.sync(() => registration.remove())
  ).pipe(Effect.asVoid)
