/** How each metric is measured, the same for all systems. */
import { Effect, type Scope } from "effect"
import { percentile } from "../Figures.ts"
import { BenchPostgres } from "./BenchPostgres.ts"
import { cpuSeconds } from "./CpuTime.ts"
import { now } from "./Engine.ts"
import type { BenchError } from "./Processes.ts"
import type { Metric, Running } from "./System.ts"

export interface Sizes {
  /** Milliseconds for which jobs are handed in. */
  readonly enqueueMs: number
  readonly drain: number
  /** Milliseconds after which a drain is told by what it did until then. */
  readonly drainMs: number
  readonly pickups: number
  readonly steadySeconds: number
  readonly listeners: number
  readonly recoveryMs: number
}

/** Figures by the name under which they are told. */
export type Figures = Readonly<Record<string, number>>
export type Measurement = (running: Running, sizes: Sizes) => Effect.Effect<Figures, BenchError, BenchPostgres | Scope.Scope>

const CALLERS = 16
const BULK = 100
/** Worker slots of what is paced. */
const SLOTS = 10
const STEADY_PER_SECOND = 500
const PICKUPS_PER_SECOND = 20
const LONG_JOBS = 20
const LONG_MS = 5_000

const perSecond = ({ count, ms }: { readonly count: number; readonly ms: number }) => count / (ms / 1_000)

/** CPU seconds that the system and PostgreSQL have spent until now. */
const spent = ({ processes }: Running) =>
  BenchPostgres.use(({ pids }) => Effect.map(pids, (postgres) => cpuSeconds([...postgres, ...processes.map(({ pid }) => pid)])))

/** What a rate cost besides, which tells more than the rate where others use the machine, too. */
const cost = (name: string, count: number, seconds: number): Figures => ({ [`${name}_cpu_s_per_1000`]: seconds / count * 1_000 })

const enqueue = (name: string, accept: (running: Running, sizes: Sizes) => ReturnType<typeof single>): Measurement =>
  Effect.fnUntraced(function*(running: Running, sizes: Sizes) {
    const before = yield* spent(running)
    const accepted = yield* accept(running, sizes)
    return { [name]: perSecond(accepted), ...cost(name, accepted.count, (yield* spent(running)) - before) }
  })

const single = ({ submitter }: Running, { enqueueMs }: Sizes) => submitter.ask("enqueueFor", { callers: CALLERS, ms: enqueueMs })
const bulk = ({ submitter }: Running, { enqueueMs }: Sizes) => submitter.ask("enqueueBulkFor", { size: BULK, ms: enqueueMs })

/** From the start of the first handler until nothing is left that is not durably finished. */
const drain = (name: string, concurrency: number): Measurement =>
  Effect.fnUntraced(function*(running: Running, { drain, drainMs }: Sizes) {
    const { submitter, worker } = running
    yield* submitter.ask("preload", { count: drain, ms: 0 })
    yield* BenchPostgres.use((postgres) => postgres.checkpoint)
    const before = yield* spent(running)
    const figures = Effect.fnUntraced(function*(count: number, ms: number) {
      return { [name]: perSecond({ count, ms }), ...cost(name, count, (yield* spent(running)) - before) }
    })
    yield* worker.ask("work", { concurrency })
    yield* worker.ask("started", { count: 1 }).pipe(
      Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => worker.fail("not one job was started within 30 s") })
    )
    const { count, first, last } = yield* worker.ask("handled", { count: drain, ms: drainMs })
    if (count < drain) return yield* figures(count, last - first)
    yield* submitter.ask("open", {}).pipe(
      Effect.repeat({ while: (open) => open }),
      Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => worker.fail("jobs whose handlers had returned were still open 30 s later") })
    )
    return yield* figures(count, now() - first)
  })

const listening = (name: string, concurrency: number): Measurement => {
  const listeners = new WeakSet<Running>()
  return Effect.fnUntraced(function*(running: Running, sizes: Sizes) {
    if (!listeners.has(running)) {
      listeners.add(running)
      yield* running.submitter.ask("idleListeners", { count: sizes.listeners })
    }
    return yield* drain(name, concurrency)(running, sizes)
  })
}

/** Milliseconds from the acknowledgement of a submission, and from its call, to the start of the handler. */
const paced = Effect.fnUntraced(function*({ submitter, worker }: Running, count: number, perSecond: number) {
  yield* worker.ask("work", { concurrency: SLOTS })
  const { acknowledged, called } = yield* submitter.ask("pace", { count, perSecond })
  const { count: handled, starts } = yield* worker.ask("handled", { count, ms: 60_000 })
  const since = (times: ReadonlyArray<number>) => starts.map((at, n) => at - (times[n] ?? Number.NaN))
  if (handled < count) return yield* worker.fail(`${count - handled} of ${count} jobs were not started within a minute after the last was submitted`)
  return { fromAcknowledgement: since(acknowledged), fromCall: since(called) }
})

const pickup: Measurement = (running, { pickups }) =>
  Effect.map(paced(running, pickups, PICKUPS_PER_SECOND), ({ fromAcknowledgement, fromCall }) => ({
    pickup_p50_ms: percentile(fromAcknowledgement, 0.5),
    pickup_p99_ms: percentile(fromAcknowledgement, 0.99),
    pickup_from_call_p50_ms: percentile(fromCall, 0.5),
    pickup_from_call_p99_ms: percentile(fromCall, 0.99)
  }))

const steady: Measurement = Effect.fnUntraced(function*(running: Running, { steadySeconds }: Sizes) {
  const count = STEADY_PER_SECOND * steadySeconds
  const before = yield* spent(running)
  const { fromAcknowledgement, fromCall } = yield* paced(running, count, STEADY_PER_SECOND)
  return {
    steady_p50_ms: percentile(fromAcknowledgement, 0.5),
    steady_p99_ms: percentile(fromAcknowledgement, 0.99),
    steady_from_call_p99_ms: percentile(fromCall, 0.99),
    cpu_s_per_1000: ((yield* spent(running)) - before) / count * 1_000
  }
})

/** Seconds from kill -9 of the worker that runs them all until all are done, by another one that starts at that moment. */
const recovery: Measurement = Effect.fnUntraced(function*({ anotherWorker, submitter, worker }: Running, { recoveryMs }: Sizes) {
  yield* submitter.ask("preload", { count: LONG_JOBS, ms: LONG_MS })
  yield* worker.ask("work", { concurrency: LONG_JOBS })
  yield* worker.ask("started", { count: LONG_JOBS })
  const killed = now()
  yield* worker.kill
  const second = yield* anotherWorker
  yield* second.ask("work", { concurrency: LONG_JOBS })
  const { count, last } = yield* second.ask("handled", { count: LONG_JOBS, ms: recoveryMs })
  return { recovery_s: count < LONG_JOBS ? Number.POSITIVE_INFINITY : (last - killed) / 1_000 }
})

export const measurements: Readonly<Record<Metric, Measurement>> = {
  enqueue_single: enqueue("enqueue_single", single),
  enqueue_rpc: enqueue("enqueue_rpc", single),
  enqueue_bulk: enqueue("enqueue_bulk", bulk),
  drain_10: drain("drain_10", 10),
  drain_50: drain("drain_50", 50),
  drain_10_held: drain("drain_10_held", 10),
  drain_50_held: drain("drain_50_held", 50),
  drain_256: drain("drain_256", 256),
  drain_50_history: drain("drain_50_history", 50),
  drain_50_listeners: listening("drain_50_listeners", 50),
  pickup,
  steady,
  recovery
}
