/** Who may run a task, and when, by the database's word (leases) and by the handlers' own (their files). */
import type { Evidence } from "../Evidence.ts"
import type { HandlerLine } from "../HandlerLog.ts"
import type { LeaseChange } from "../LeaseAudit.ts"
import type { Check, Violation } from "./Violation.ts"

/** Claims of one task follow each other: number by number, none before the one before was released. */
export const leasesDoNotOverlap: Check = ({ leases }) =>
  [...Map.groupBy(leases, ({ task }) => task)].flatMap(([task, changes]) => {
    const found: Array<Violation> = []
    let held: LeaseChange | undefined
    let last = 0
    for (const change of changes) {
      if (change.what === "claim") {
        if (held !== undefined) found.push(overlap(task, `attempt ${change.attempt} was given to ${change.worker} while ${held.worker} held attempt ${held.attempt}`))
        if (change.attempt <= last) found.push(overlap(task, `attempt ${change.attempt} was issued after attempt ${last}`))
        held = change
        last = Math.max(last, change.attempt)
      } else if (change.what === "release") held = undefined
    }
    return found
  })

const overlap = (task: string, what: string): Violation => ({ rule: "leases_do_not_overlap", task, what })

/** A task is rescued from nobody who has a valid lease and is at work on it. */
export const rescuedFromTheLost: Check = (evidence) => {
  const lines = Map.groupBy(evidence.handlers, keyOf)
  return evidence.leases.filter(({ lease_valid, what }) => what === "release" && lease_valid).flatMap((release) => {
    const rescued = (evidence.histories.get(release.task) ?? []).some(({ attempt, type }) => type === "rescued" && attempt === release.attempt)
    if (!rescued || !atWork(lines.get(keyOf(release)) ?? [], release.at - evidence.clockOffset)) return []
    return [{ rule: "rescued_from_the_lost", task: release.task, what: `attempt ${release.attempt} was taken from ${release.worker}, who had a valid lease and was at work on it` }]
  })
}

const keyOf = ({ attempt, task }: { readonly task: string; readonly attempt: number }) => `${task} ${attempt}`

const atWork = (lines: ReadonlyArray<HandlerLine>, at: number): boolean => {
  const [start, end] = [lines.find(({ what }) => what === "start"), lines.find(({ what }) => what !== "start")]
  return start !== undefined && start.mono < at && (end === undefined || end.mono > at)
}

/** Handlers run what was issued to their worker, and each attempt once. */
export const attemptsRunOnce: Check = (evidence) => {
  const starts = evidence.handlers.filter(({ what }) => what === "start")
  const issued = new Set(evidence.leases.map(({ attempt, task, worker }) => `${task} ${attempt} ${worker}`))
  return [
    ...[...Map.groupBy(starts, keyOf).values()].flatMap(([first, ...more]) =>
      more.map(({ attempt, task, worker }) => ({ rule: "attempts_run_once", task, what: `attempt ${attempt} was started by ${first?.worker} and again by ${worker}` }))),
    ...starts.filter(({ attempt, task, worker }) => !issued.has(`${task} ${attempt} ${worker}`)).map(({ attempt, task, worker }) =>
      ({ rule: "attempts_run_once", task, what: `${worker} ran attempt ${attempt}, which was not issued to it` }))
  ]
}

/** A task that waits for others starts after each of them has completed; where one did not, it is cancelled, or expired at its own deadline. */
export const childrenAfterParents: Check = (evidence) => {
  const stored = new Map(evidence.tasks.map((one) => [one.task, one]))
  const completedAt = new Map(evidence.outcomes.filter(({ after, before }) => before === null && after === "completed").map(({ at, task }) => [task, at]))
  const outcomes = new Map(evidence.tasks.map(({ outcome, task }) => [task, outcome]))
  const startedAt = firstClaims(evidence)
  return evidence.acknowledged.flatMap(({ after, task }) => {
    const start = startedAt.get(task)
    const missing = after.find((parent) => outcomes.get(parent) !== "completed")
    if (start === undefined) {
      const record = stored.get(task)
      const expired = record?.outcome === "expired" && (record.completed_at ?? 0) >= record.deadline
      return missing === undefined || expired || outcomes.get(task) === "cancelled" ? [] : [child(task, `it is ${outcomes.get(task) ?? "open"}, though ${missing} did not complete`)]
    }
    return after.filter((parent) => (completedAt.get(parent) ?? Number.POSITIVE_INFINITY) > start).map((parent) =>
      child(task, `it was started before ${parent} had completed`))
  })
}

const child = (task: string, what: string): Violation => ({ rule: "children_after_parents", task, what })

const firstClaims = ({ leases }: Evidence): ReadonlyMap<string, number> => {
  const first = new Map<string, number>()
  for (const { at, task, what } of leases) if (what === "claim" && !first.has(task)) first.set(task, at)
  return first
}
