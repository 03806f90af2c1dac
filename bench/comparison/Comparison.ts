/**
 * The comparison: for each metric every system that takes part is started and warmed up, then they take turns, so that what
 * the machine does meanwhile is shared by all. A system that fails ends the run with its name.
 */
import { Effect } from "effect"
import { note } from "../Figures.ts"
import { BenchPostgres } from "./BenchPostgres.ts"
import { type Figures, type Measurement, measurements, type Sizes } from "./Measurements.ts"
import { median, type Medians } from "./Ratios.ts"
import { type Metric, metrics, type Running, type System } from "./System.ts"

export interface Plan {
  readonly systems: ReadonlyArray<System>
  readonly metrics: ReadonlyArray<Metric>
  readonly runs: number
  readonly sizes: Sizes
  readonly warmUp: Sizes
  /** Folder for CPU profiles of ours. */
  readonly profile: string | undefined
}

/** Each is done once: a job of five seconds is no warmer the second time, and a kill ends its process. */
const once: ReadonlySet<Metric> = new Set(["recovery"])

export const compare = Effect.fnUntraced(function*(plan: Plan) {
  const found = new Map<string, Map<string, Array<number>>>()
  const keep = (system: System, figures: Figures) => {
    for (const [name, value] of Object.entries(figures)) {
      const bySystem = found.get(name) ?? new Map<string, Array<number>>()
      bySystem.set(system.name, [...bySystem.get(system.name) ?? [], value])
      found.set(name, bySystem)
    }
  }
  yield* Effect.scoped(Effect.gen(function*() {
    const running = new Map<System, Running>()
    const start = Effect.fnUntraced(function*(system: System) {
      const known = running.get(system)
      if (known !== undefined) return known
      yield* note(`starting ${system.name}`)
      const started = yield* system.start
      running.set(system, started)
      return started
    })
    for (const metric of metrics.filter((one) => plan.metrics.includes(one))) {
      const part = plan.systems.filter((system) => system.metrics.includes(metric))
      if (once.has(metric)) {
        // They wait more than they work, and so wait together.
        yield* Effect.forEach(part, (system) =>
          Effect.flatMap(start(system), (running) => Effect.tap(run(metric, running, plan.sizes), (figures) => tell(system, figures, keep))),
          { concurrency: part.length, discard: true })
        continue
      }
      for (const system of part) yield* run(metric, yield* start(system), plan.warmUp)
      for (let turn = 0; turn < plan.runs; turn++) {
        for (const system of part) {
          const started = yield* start(system)
          const measured = run(metric, started, plan.sizes)
          const folder = system.kind === "ours" ? plan.profile : undefined
          yield* tell(system, yield* folder === undefined ? measured : profiled(measured, started, `${folder}/${metric}-${system.name}-${turn}`), keep)
        }
      }
    }
  }))
  const medians: Medians = Object.fromEntries([...found].map(([name, bySystem]) => [
    name,
    Object.fromEntries([...bySystem].map(([system, values]) => [system, rounded(median(values))]))
  ]))
  return medians
})

const tell = (system: System, figures: Figures, keep: (system: System, figures: Figures) => void) =>
  Effect.andThen(
    Effect.sync(() => keep(system, figures)),
    note(`${system.name}: ${Object.entries(figures).map(([name, value]) => `${name} ${rounded(value)}`).join(", ")}`)
  )

/** With a CPU profile of each process of the system. */
const profiled = <A, E, R>(measured: Effect.Effect<A, E, R>, { processes }: Running, file: string) =>
  Effect.gen(function*() {
    yield* Effect.forEach(processes, (process) => process.ask("profile", {}))
    const value = yield* measured
    yield* Effect.forEach(processes, (process) => process.ask("profiled", { file: `${file}-${process.role}.cpuprofile` }))
    return value
  })

/** One measurement; nothing of it is left afterwards. */
const run = Effect.fnUntraced(function*(metric: Metric, running: Running, sizes: Sizes) {
  const measure: Measurement = measurements[metric]
  const figures = yield* Effect.scoped(measure(running, sizes))
  if (metric === "recovery") return figures
  yield* running.worker.ask("rest", {})
  if (!keepsRows.has(metric)) yield* running.submitter.ask("clear", {})
  yield* BenchPostgres.use((postgres) => postgres.checkpoint)
  return figures
})

/** What lies in the database is part of what is measured. */
const keepsRows: ReadonlySet<Metric> = new Set(["drain_50_history", "drain_50_listeners"])

/** Three significant figures say all that such a measurement knows. */
const rounded = (value: number): number => Number.isFinite(value) ? Number(value.toPrecision(3)) : value
