/** What the record of a task must say: it is there, it was written once, in time, and by the attempt that counts. */
import type { Evidence, StoredTask } from "../Evidence.ts"
import { type Check, terminal, type Violation } from "./Violation.ts"

/** What was acknowledged is never lost. */
export const acknowledgedExist: Check = ({ acknowledged, tasks }) => {
  const stored = new Set(tasks.map(({ task }) => task))
  return acknowledged.filter(({ task }) => !stored.has(task)).map(({ task }) =>
    broken("acknowledged_exists", task, "its client was told that it is accepted, and nobody knows it"))
}

/** Whoever asks again with the same unique key is answered the same task, and there is no other. */
export const uniqueKeysHold: Check = ({ acknowledged, tasks }) => {
  const answered = [...Map.groupBy(acknowledged.filter(({ unique_key }) => unique_key !== null), ({ unique_key }) => unique_key)]
  const made = [...Map.groupBy(tasks.filter(({ unique_key }) => unique_key !== null), ({ unique_key }) => unique_key)]
  return [...answered, ...made].flatMap(([key, all]) => {
    const ids = [...new Set(all.map(({ task }) => task))]
    return ids.length === 1 ? [] : [broken("unique_keys_hold", ids[0] ?? "", `${ids.length} tasks have the unique key ${key}`)]
  })
}

/** A terminal record is written once and never touched again. */
export const oneTerminalRecord: Check = ({ outcomes, tasks }) => {
  const changes = Map.groupBy(outcomes, ({ task }) => task)
  return [
    ...[...changes].flatMap(([task, all]) =>
      all.slice(1).map(({ after, before }) => broken("one_terminal_record", task, `its record changed from ${before} to ${after}`))),
    ...tasks.filter(({ open, outcome }) => open && outcome !== null).map(({ outcome, task }) =>
      broken("one_terminal_record", task, `it is ${outcome} and in the queue`))
  ]
}

/** No attempt was issued after the one that decided. */
export const highestAttemptDecides: Check = (evidence) => {
  const issued = new Map<string, number>()
  const note = (task: string, attempt: number) => issued.set(task, Math.max(issued.get(task) ?? 0, attempt))
  for (const { attempt, task } of evidence.leases) note(task, attempt)
  for (const { attempt, task } of evidence.handlers) note(task, attempt)
  return ended(evidence).filter(({ attempt, task }) => (issued.get(task) ?? 0) !== attempt).map(({ attempt, task }) =>
    broken("highest_attempt_decides", task, `attempt ${attempt} stands in the record, ${issued.get(task) ?? 0} was the last issued`))
}

/** Grace after the deadline, or after all was well again where that came later. */
const GRACE_MS = 60_000

export const endedInTime: Check = ({ acknowledged, healedAt, tasks }) => {
  const expected = new Set(acknowledged.map(({ task }) => task))
  return tasks.filter(({ task }) => expected.has(task)).flatMap(({ completed_at, deadline, outcome, task }) => {
    if (outcome === null || completed_at === null || !terminal.has(outcome)) return [broken("ended_in_time", task, "it has not ended")]
    const late = completed_at - Math.max(deadline, healedAt) - GRACE_MS
    return late > 0 ? [broken("ended_in_time", task, `it ended ${Math.round(late / 1_000)} s too late`)] : []
  })
}

/** The policy's tries, and one more for each attempt that was lost or handed back. */
export const attemptsBounded: Check = (evidence) =>
  ended(evidence).flatMap(({ attempt, max_retries, task }) => {
    const free = (evidence.histories.get(task) ?? []).filter(({ type }) => type === "rescued" || type === "handed_back").length
    const most = max_retries + 1 + free
    return attempt > most ? [broken("attempts_bounded", task, `${attempt} attempts, at most ${most} were due`)] : []
  })

/** A result is that of the attempt whose number stands beside it, and that attempt had really finished. */
export const resultOfItsAttempt: Check = (evidence) => {
  const finished = new Set(evidence.handlers.filter(({ what }) => what === "finish").map(({ attempt, task }) => `${task} ${attempt}`))
  return ended(evidence).filter(({ outcome }) => outcome === "completed").flatMap(({ attempt, made_by, task }) => [
    ...made_by === attempt ? [] : [broken("result_of_its_attempt", task, `attempt ${attempt} is recorded with the result of attempt ${made_by}`)],
    ...finished.has(`${task} ${attempt}`) ? [] : [broken("result_of_its_attempt", task, `attempt ${attempt} is recorded as completed and never finished`)]
  ])
}

/** What a completion brings about happens with it, once, and with nothing else. */
export const effectsOnce: Check = ({ tasks }) =>
  tasks.filter(({ kind }) => kind === "INSIGHT_GENERATION").flatMap(({ effects, outcome, task }) => {
    const due = outcome === "completed" ? 1 : 0
    return effects === due ? [] : [broken("effects_once", task, `it is ${outcome ?? "open"} and has ${effects} insights`)]
  })

/** Whoever was told that a task is being cancelled finds it cancelled. */
export const cancelOrFinish: Check = ({ cancels, tasks }) => {
  const outcomes = new Map(tasks.map(({ outcome, task }) => [task, outcome]))
  return cancels.filter(({ state }) => state === "cancelled" || state === "running" || state === "pending").flatMap(({ state, task }) => {
    const outcome = outcomes.get(task)
    return outcome === "cancelled" ? [] : [broken("cancel_or_finish", task, `its cancel was answered with ${state}, and it is ${outcome ?? "open"}`)]
  })
}

type Ended = StoredTask & { readonly outcome: string; readonly attempt: number }

const isEnded = (task: StoredTask): task is Ended => task.outcome !== null && task.attempt !== null
const ended = ({ tasks }: Evidence): ReadonlyArray<Ended> => tasks.filter(isEnded)

const broken = (rule: string, task: string, what: string): Violation => ({ rule, task, what })
