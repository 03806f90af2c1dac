/**
 * All faults of a run, decided by its seed before it starts. Two lanes run beside each other: what happens to workers, where
 * several may suffer at once, and what happens to servers and database, one at a time with a moment to recover. Each lane
 * deals its kinds like cards, so that each comes before any comes again.
 */
import { createHash } from "node:crypto"
import { type Fault, type FaultKind, serverFaults, workerFaults } from "./Fault.ts"
import { type SeededRandom, split } from "./SeededRandom.ts"

export interface Sizes {
  readonly workers: number
  readonly apis: number
}

/** Shortest and longest, in milliseconds. A lease lasts 15 s, a replica is taken for dead after 5 s (ClusterConfig). */
const lengths: Readonly<Record<FaultKind, readonly [number, number]>> = {
  kill_worker: [500, 3_000],
  kill_worker_before_reply: [500, 1_500],
  stop_worker: [200, 1_000],
  freeze_worker: [17_000, 23_000],
  partition_worker: [6_000, 22_000],
  partition_worker_one_way: [8_000, 22_000],
  half_open_worker: [500, 500],
  worker_clock: [200, 200],
  duplicate_reports: [8_000, 15_000],
  kill_api: [500, 2_500],
  kill_api_after_commit: [200, 700],
  stop_api: [200, 1_000],
  freeze_api: [4_000, 11_000],
  terminate_connections: [500, 2_000],
  restart_postgres: [200, 200],
  partition_database: [3_000, 9_000],
  partition_database_one_way: [3_000, 9_000],
  half_open_database: [500, 500],
  redis_loss: [3_000, 6_000]
}

/** Nothing starts before everybody has found each other. */
const QUIET_START = 3_000

/** Ends by `duration`, in the order in which they start. */
export const make = (seed: number, duration: number, sizes: Sizes): ReadonlyArray<Fault> =>
  [
    ...workerLane(split(seed, "workers"), duration, sizes.workers),
    ...serverLane(split(seed, "servers"), duration, sizes.apis)
  ].sort((a, b) => a.at - b.at)

/** Tells two schedules apart. */
export const hash = (faults: ReadonlyArray<Fault>): string =>
  createHash("sha256").update(JSON.stringify(faults)).digest("hex").slice(0, 16)

const workerLane = (random: SeededRandom, duration: number, workers: number): ReadonlyArray<Fault> => {
  const freeAt = Array.from({ length: workers }, () => 0)
  const faults: Array<Fault> = []
  const deal = dealer(random, workerFaults)
  for (let at = QUIET_START;; at += random.between(2_500, 6_000)) {
    const kind = deal()
    // Reports are repeated on the last worker's way, which every worker's fault but its own may meet.
    const target = kind === "duplicate_reports" ? workers - 1 : random.between(0, workers - 1)
    const start = Math.max(at, freeAt[target] ?? 0)
    const fault = faultOf(random, kind, target, start)
    if (start + fault.lasts > duration) return faults
    if (kind !== "duplicate_reports") freeAt[target] = start + fault.lasts + AFTERMATH
    faults.push(fault)
  }
}

/** Before the same worker suffers again: it is to come back, or it would never work. */
const AFTERMATH = 4_000

const serverLane = (random: SeededRandom, duration: number, apis: number): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  const deal = dealer(random, serverFaults)
  for (let at = QUIET_START + 1_000;;) {
    const fault = faultOf(random, deal(), random.between(0, apis - 1), at)
    if (at + fault.lasts > duration) return faults
    faults.push(fault)
    at += fault.lasts + random.between(3_500, 7_000)
  }
}

const faultOf = (random: SeededRandom, kind: FaultKind, target: number, at: number): Fault => {
  const [shortest, longest] = lengths[kind]
  return { at, kind, target, lasts: random.between(shortest, longest), twist: random.next() }
}

const dealer = <A extends FaultKind>(random: SeededRandom, kinds: ReadonlyArray<A>) => {
  let deck: Array<A> = []
  return (): A => {
    if (deck.length === 0) deck = random.shuffle(kinds)
    const [card, ...rest] = deck
    if (card === undefined) throw new Error("a lane needs kinds of faults")
    deck = rest
    return card
  }
}
