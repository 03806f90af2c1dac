/**
 * What happens in one simulation, made from its seed alone: how the cluster looks, which tasks come when, and which faults meet
 * them. The same seed gives the same schedule, and the simulation of it the same course.
 */
import type { Work } from "./SimulatedWorker.ts"

/** Milliseconds from the start of the simulation. */
interface Timed {
  readonly at: number
}

/** Servers and workers by their numbers. `lasts`: milliseconds until it is healed. */
export type Fault = Timed & (
  | { readonly _tag: "CrashServer" | "StopServer" | "CutDatabase"; readonly server: number; readonly lasts: number }
  | { readonly _tag: "CrashWorker" | "StopWorker" | "Freeze" | "Deafen" | "Partition" | "Unplug" | "Pause"; readonly worker: number; readonly lasts: number }
  /** One direction is silent; the other end notices after gRPC's keepalive. */
  | { readonly _tag: "Mute"; readonly worker: number; readonly direction: "up" | "down"; readonly lasts: number }
  | { readonly _tag: "CutConnection"; readonly worker: number }
  | { readonly _tag: "Cancel"; readonly task: number }
)

export interface PlannedTask extends Timed {
  readonly work: (typeof Work)["Type"]
  readonly priority: number
  readonly delay: number
  readonly attempt_timeout: number
  readonly deadline: number
  readonly max_retries: number
}

export interface PlannedWorker {
  readonly maxConcurrent: number
  readonly prefetch: number
  readonly slotHeld: boolean
  readonly ahead: number
}

export interface Schedule {
  readonly seed: number
  readonly servers: number
  readonly workers: ReadonlyArray<PlannedWorker>
  readonly tasks: ReadonlyArray<PlannedTask>
  readonly faults: ReadonlyArray<Fault>
}

/** Faults that meet no task in particular begin within this time. */
const STORM = 12_000

/** Numbers in 0..1 (mulberry32, Tommy Ettinger, public domain). */
export const numbersOf = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const drawsOf = (seed: number) => {
  const next = numbersOf(seed)
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const oneOf = <A>(first: A, ...rest: ReadonlyArray<A>): A => [first, ...rest][between(0, rest.length)] ?? first
  const times = <A>(count: number, make: () => A): ReadonlyArray<A> => Array.from({ length: count }, make)
  return { next, between, oneOf, times }
}

type Draws = ReturnType<typeof drawsOf>

/**
 * Most races are between two or three events, and need no more than a task or two and as many faults, close to the moments at
 * which a task begins or ends: a skirmish. What takes many of everything, queues for slots, retries that meet other tasks, and
 * faults on faults, is left to storms, which cost three times as much.
 */
const STORM_EVERY = 5

export const scheduleOf = (seed: number): Schedule => seed % STORM_EVERY === 0 ? stormOf(seed) : skirmishOf(seed)

const workerOf = ({ between, next, oneOf }: Draws): PlannedWorker => ({
  maxConcurrent: between(1, 2),
  prefetch: oneOf(0, 0, 4),
  slotHeld: next() < 0.2,
  ahead: oneOf(0, 0, 0, 300_000, -300_000)
})

const stormOf = (seed: number): Schedule => {
  const draws = drawsOf(seed)
  const { between, oneOf, times } = draws
  const servers = oneOf(1, 2, 2)
  const workers = times(oneOf(1, 2, 2, 3), () => workerOf(draws))
  const tasks = times(between(3, 7), (): PlannedTask => ({
    at: between(0, 6_000),
    work: {
      takes: oneOf(0, between(1, 300), between(300, 3_000), between(3_000, 12_000), between(8_000, 18_000)),
      ends: oneOf("completes", "completes", "completes", "completes", "fails", "fails first", "fails for good", "stubborn")
    },
    priority: between(1, 10),
    delay: oneOf(0, 0, 0, between(100, 3_000)),
    attempt_timeout: oneOf(60_000, 60_000, between(2_000, 10_000)),
    deadline: oneOf(3_600_000, 3_600_000, 3_600_000, between(5_000, 30_000)),
    max_retries: between(0, 2)
  }))
  const fault = (): Fault => {
    // Most of them while a task runs.
    const target = tasks[between(0, tasks.length * 2)]
    const at = target === undefined ? between(500, STORM) : target.at + target.delay + between(0, target.work.takes)
    return faultOf(draws, { servers, workers, tasks }, at)
  }
  return { seed, servers, workers, tasks, faults: times(between(1, 5), fault) }
}

const skirmishOf = (seed: number): Schedule => {
  const draws = drawsOf(seed)
  const { between, oneOf, times } = draws
  const servers = oneOf(1, 1, 2)
  const workers = times(oneOf(1, 2), () => workerOf(draws))
  const task = (): PlannedTask => ({
    at: between(0, 1_500),
    work: {
      takes: oneOf(0, between(1, 100), between(100, 2_000), between(6_000, 14_000)),
      ends: oneOf("completes", "completes", "completes", "fails first", "fails", "stubborn")
    },
    priority: between(1, 10),
    delay: oneOf(0, 0, 0, between(100, 1_000)),
    attempt_timeout: oneOf(60_000, 60_000, between(500, 5_000)),
    deadline: oneOf(3_600_000, 3_600_000, 3_600_000, between(1_000, 10_000)),
    max_retries: between(0, 1)
  })
  const first = task()
  const tasks = [first, ...times(between(0, 1), task)]
  const fault = (): Fault => {
    const { at, delay, work } = oneOf(first, ...tasks)
    const due = at + delay
    return faultOf(draws, { servers, workers, tasks }, oneOf(due + between(0, 100), due + between(0, work.takes), Math.max(0, due + work.takes + between(-50, 100))))
  }
  return { seed, servers, workers, tasks, faults: times(between(1, 2), fault) }
}

const faultOf = ({ between, oneOf }: Draws, { servers, tasks, workers }: Pick<Schedule, "servers" | "workers" | "tasks">, at: number): Fault => {
  const server = between(0, servers - 1)
  const worker = between(0, workers.length - 1)
  // Around the times of the liveness rules: 5 s of grace, 7 s of keepalive, 10 s of deafness, 15 s of lease.
  const lasts = oneOf(between(50, 2_000), between(4_000, 9_000), between(9_000, 20_000))
  switch (between(0, 14)) {
    case 0:
      return { _tag: "CrashServer", at, server, lasts: Math.min(lasts, 12_000) }
    case 1:
      return { _tag: "StopServer", at, server, lasts: Math.min(lasts, 12_000) }
    case 2:
      return { _tag: "CutDatabase", at, server, lasts }
    case 3:
      return { _tag: "CrashWorker", at, worker, lasts: Math.min(lasts, 12_000) }
    case 4:
      return { _tag: "StopWorker", at, worker, lasts: Math.min(lasts, 12_000) }
    case 5:
      return { _tag: "Freeze", at, worker, lasts }
    case 6:
      return { _tag: "Deafen", at, worker, lasts }
    case 7:
      return { _tag: "Partition", at, worker, lasts }
    case 8:
      return { _tag: "Pause", at, worker, lasts }
    case 9:
      return { _tag: "Mute", at, worker, direction: oneOf("up", "down"), lasts }
    case 10:
      return { _tag: "CutConnection", at, worker }
    case 11:
    case 12:
      return { _tag: "Unplug", at, worker, lasts }
    default:
      return { _tag: "Cancel", at, task: between(0, tasks.length - 1) }
  }
}
