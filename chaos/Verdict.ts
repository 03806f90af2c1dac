/** What a run comes to: the line for programs, and whether it counts as passed. */
import type { Violation } from "./checks/Violation.ts"
import type { Evidence } from "./Evidence.ts"
import type { FaultCounts } from "./FaultInjector.ts"

export interface Run {
  readonly seed: number
  readonly schedule: string
  readonly minutes: number
  readonly evidence: Evidence
  readonly faults: FaultCounts
  readonly violations: ReadonlyArray<Violation>
}

/** A run that did less proves nothing. */
const LEAST_TASKS = 2_000
const LEAST_KINDS = 6

/** Told in the line; the run's folder has all of them. */
const TOLD = 50

export const summary = ({ evidence, faults, minutes, schedule, seed, violations }: Run) => ({
  seed,
  minutes,
  schedule,
  acknowledged: evidence.acknowledged.length,
  faults,
  rescues: [...evidence.histories.values()].flat().filter(({ type }) => type === "rescued").length,
  cancels: evidence.cancels.length,
  subscriptions: evidence.subscriptions.length,
  outcomes: Object.fromEntries([...Map.groupBy(evidence.tasks, ({ outcome }) => outcome ?? "open")].map(([outcome, all]) => [outcome, all.length])),
  violations: violations.slice(0, TOLD).map(({ rule, task, what }) => `${rule}: ${task === "" ? "" : `${task} `}${what}`)
})

/** Why the run does not count as passed; empty where it does. */
export const objections = ({ evidence, faults, violations }: Run): ReadonlyArray<string> => {
  const kinds = Object.values(faults).filter((count) => count > 0).length
  return [
    ...violations.length > 0 ? [`${violations.length} violations`] : [],
    ...evidence.acknowledged.length < LEAST_TASKS ? [`only ${evidence.acknowledged.length} tasks took part, ${LEAST_TASKS} have to`] : [],
    ...kinds < LEAST_KINDS ? [`only ${kinds} kinds of faults took part, ${LEAST_KINDS} have to`] : []
  ]
}
