/** A system under comparison: its processes, as its users run it, and what it takes part in. */
import { Effect, type Scope } from "effect"
import { BenchPostgres } from "./BenchPostgres.ts"
import { type BenchError, type BenchProcess, startProcess } from "./Processes.ts"

export const metrics = [
  "enqueue_single", "enqueue_rpc", "enqueue_bulk", "drain_10", "drain_50", "drain_10_held", "drain_50_held", "drain_256", "drain_50_history",
  "drain_50_listeners", "pickup", "steady", "recovery"
] as const
export type Metric = (typeof metrics)[number]

export interface Running {
  readonly submitter: BenchProcess
  readonly worker: BenchProcess
  /** Whose CPU time a task costs, PostgreSQL aside. */
  readonly processes: ReadonlyArray<BenchProcess>
  /** A further worker process, like the first. */
  readonly anotherWorker: Effect.Effect<BenchProcess, BenchError, Scope.Scope>
}

export interface System {
  readonly name: string
  readonly kind: "floor" | "peer" | "ours"
  /** When a slot takes the next job: `freed` as soon as the handler has returned, `held` when the outcome is durable. */
  readonly slots: "freed" | "held"
  readonly metrics: ReadonlyArray<Metric>
  readonly start: Effect.Effect<Running, BenchError, Scope.Scope | BenchPostgres>
}

export interface Parts {
  readonly name: string
  readonly engine: string
  readonly variant: string
  readonly kind: "floor" | "peer"
  readonly slots: "freed" | "held"
  readonly metrics: ReadonlyArray<Metric>
  /** Of another server than the PostgreSQL of the comparison. */
  readonly url?: string
}

/** A submitter and a worker that meet in the database. */
export const twoProcesses = ({ engine, url: given, variant, ...system }: Parts): System => ({
  ...system,
  start: Effect.gen(function*() {
    const postgres = yield* BenchPostgres
    const url = given ?? (yield* postgres.database(system.name))
    const process = (role: "submitter" | "worker") => startProcess({ system: system.name, engine, role, variant, url })
    const submitter = yield* process("submitter")
    const worker = yield* process("worker")
    return { submitter, worker, processes: [submitter, worker], anotherWorker: process("worker") }
  })
})
