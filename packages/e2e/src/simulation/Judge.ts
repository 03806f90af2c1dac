/** What must hold of every simulation once it has healed, whatever happened before; one sentence per violation. */
import type { TaskId } from "@englog/domain/Ids"
import { MAX_RESCUES } from "@englog/domain/tasks/TaskState"
import type { CancelAnswer } from "@englog/api/queue/TaskOutcomes"
import type { Deafness } from "./Network.ts"
import type { PlannedTask, Schedule } from "./Schedule.ts"
import { signature } from "./SimulatedWorker.ts"
import type { Entry, Tables } from "./Tables.ts"

export interface Course {
  readonly schedule: Schedule
  readonly tables: Tables
  readonly accepted: ReadonlyMap<TaskId, PlannedTask>
  readonly cancels: ReadonlyArray<{ readonly task_id: TaskId; readonly answer: CancelAnswer; readonly before: string | undefined }>
  readonly deafness: ReadonlyArray<Deafness>
  /** Sentences about what is still held somewhere at the end. */
  readonly leaks: ReadonlyArray<string>
  /** Seen while it ran. */
  readonly seen: ReadonlyArray<string>
}

/** Milliseconds until a worker that does not receive is found out (issue: 10 s), and until the dispatcher has looked again. */
const FOUND_DEAF = 10_000 + 1_500

export const violationsOf = (course: Course): ReadonlyArray<string> => [
  ...course.seen,
  ...course.leaks,
  ...[...course.accepted].flatMap(([task_id, planned]) => historyOf(course.tables, task_id, planned)),
  ...course.cancels.flatMap((cancel) => cancelled(course.tables, cancel)),
  ...deaf(course)
]

const historyOf = ({ ended, journal, open }: Tables, task_id: TaskId, planned: PlannedTask): ReadonlyArray<string> => {
  const found: Array<string> = []
  const entries = journal.filter((entry) => entry.task_id === task_id)
  const of = <Tag extends Entry["_tag"]>(tag: Tag) => entries.filter((entry): entry is Extract<Entry, { readonly _tag: Tag }> => entry._tag === tag)
  const complain = (what: string) => void found.push(`${task_id}: ${what}`)
  const issued = of("Issued").map(({ attempt }) => attempt)
  const requeued = of("Requeued")
  const ends = of("Ended")
  if (of("Accepted").length !== 1) complain("was accepted and is not there")
  if (ends.length !== 1 || open.has(task_id)) complain(`ended ${ends.length} times${open.has(task_id) ? `, and is ${open.get(task_id)?.state}` : ""}`)
  if (issued.some((attempt, index) => attempt !== index + 1)) complain(`attempts were issued as ${issued.join(", ")}`)
  const highest = Math.max(0, ...issued)
  const end = ended.get(task_id)
  if (end !== undefined && end.attempt !== highest) complain(`its record is of attempt ${end.attempt}, the last one issued was ${highest}`)
  if (end?.outcome === "completed" && end.result !== signature(highest)) complain(`attempt ${highest} ended with the result ${end.result}`)
  const reported = [
    ...requeued.filter(({ event }) => event === "retrying").map(({ attempt, message }) => ({ attempt, message })),
    ...(end?.outcome === "failed" ? [{ attempt: end.attempt, message: end.error }] : [])
  ]
  for (const { attempt, message } of reported) {
    if (message?.startsWith("{") === true && message !== signature(attempt)) complain(`attempt ${attempt} ended with the failure ${message}`)
  }
  // A retry, a rescue and a return to the queue each allow one more attempt; nothing else does.
  if (highest > requeued.length + 1) complain(`${highest} attempts after ${requeued.length} returns to the queue`)
  const retries = requeued.filter(({ event }) => event === "retrying").length
  if (retries > planned.max_retries) complain(`${retries} retries, ${planned.max_retries} allowed`)
  if (requeued.some(({ rescues }) => rescues >= MAX_RESCUES)) complain(`rescued more than ${MAX_RESCUES - 1} times in a row`)
  entries.forEach((entry, index) => {
    const before = entries[index - 1]
    if (entry._tag === "Issued" && before?._tag === "Issued") complain(`attempts ${before.attempt} and ${entry.attempt} were held at the same time`)
  })
  return found
}

const cancelled = ({ ended }: Tables, { answer, before, task_id }: Course["cancels"][number]): ReadonlyArray<string> => {
  const outcome = ended.get(task_id)?.outcome
  const kept = answer === "already_ended" ? before === undefined || outcome === before : answer === "not_found" ? false : outcome === "cancelled"
  return kept ? [] : [`${task_id}: cancelling it was answered "${answer}", and it is ${outcome ?? "open"}`]
}

const deaf = ({ deafness, tables }: Course): ReadonlyArray<string> =>
  tables.journal.flatMap((entry) => {
    if (entry._tag !== "Issued") return []
    const worker = tables.sessions.get(entry.session_id)?.worker_id
    return deafness.some(({ from, to, worker: name }) => name === worker && entry.at > from + FOUND_DEAF && entry.at < to)
      ? [`${entry.task_id}: attempt ${entry.attempt} went to ${worker}, which had not received anything for more than ${FOUND_DEAF} ms`]
      : []
  })
