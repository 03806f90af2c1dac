/** What operators ask of the queue and its workers at the command line; a wrong argument is named. */
import { OrganizationId, TaskId, WorkerId } from "@englog/domain/Ids"
import { MaxRunning, SteeredQueue, Weight } from "@englog/rpc/http/QueueView"
import { Effect, Schema } from "effect"
import { AdminCommandError } from "./AdminCommandError.ts"

export const operatorUsage = `  queues                      all queues: what waits, what runs, and their limits
  pause-queue QUEUE, resume-queue QUEUE
  limit-queue QUEUE N|none    tasks of it that may run at once, on all workers together; QUEUE '*' for all queues
  dead-letters [QUEUE]        tasks of all organizations that failed for good and were not replayed, the newest 200
  dead-letter TASK_ID         one of them, whole
  replay TASK_ID              tries it anew
  replay-all [QUEUE]          tries all of them anew, 500 at a time
  weights                     organizations whose share of the slots was set; that of all others is 1
  set-weight ORGANIZATION_ID N
  workers                     live workers
  pause-worker WORKER_ID, resume-worker WORKER_ID`

export type OperatorCommand =
  | { readonly _tag: "Queues" | "Weights" | "Workers" }
  | { readonly _tag: "PauseQueue" | "ResumeQueue"; readonly queue: string }
  | { readonly _tag: "LimitQueue"; readonly queue: string; readonly max_running: number | null }
  | { readonly _tag: "DeadLetters" | "ReplayAll"; readonly queue?: string }
  | { readonly _tag: "DeadLetter" | "Replay"; readonly task_id: TaskId }
  | { readonly _tag: "SetWeight"; readonly organization_id: OrganizationId; readonly weight: number }
  | { readonly _tag: "PauseWorker" | "ResumeWorker"; readonly worker_id: WorkerId }

/** Undefined where it is none of these commands, or has too few or too many arguments. */
export const parseOperatorCommand = (args: ReadonlyArray<string>): Effect.Effect<OperatorCommand, AdminCommandError> | undefined => {
  const [command = "", first, second] = args
  if (args.length === 1) return alone.get(command)
  if (args.length === 2 && first !== undefined) return withOne.get(command)?.(first)
  return args.length === 3 && first !== undefined && second !== undefined ? withTwo.get(command)?.(first, second) : undefined
}

type Parsed = Effect.Effect<OperatorCommand, AdminCommandError>

const alone = new Map<string, Parsed>([
  ["queues", Effect.succeed({ _tag: "Queues" })],
  ["weights", Effect.succeed({ _tag: "Weights" })],
  ["workers", Effect.succeed({ _tag: "Workers" })],
  ["dead-letters", Effect.succeed({ _tag: "DeadLetters" })],
  ["replay-all", Effect.succeed({ _tag: "ReplayAll" })]
])

const argument = <A>(name: string, expected: string, schema: Schema.Decoder<A>) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (value: unknown) => decode(value).pipe(Effect.mapError(() => new AdminCommandError({ message: `${name}: must be ${expected}` })))
}

const queue = argument("queue", "the name of a queue, or *", SteeredQueue)
const taskId = argument("task_id", "the id of a task", TaskId)
const organizationId = argument("organization_id", "the id of an organization", OrganizationId)
const workerId = argument("worker_id", "1 to 200 characters", WorkerId)
const weight = argument("weight", "a whole number from 1 to 100", Weight)
const maxRunning = argument("max_running", "a whole number from 0 to 1000000, or none", Schema.NullOr(MaxRunning))

/** Only what is written as a number is one. */
const numberOf = (text: string): unknown => /^\d{1,9}$/.test(text) ? Number(text) : text

const withOne = new Map<string, (given: string) => Parsed>([
  ["pause-queue", (given) => Effect.map(queue(given), (queue) => ({ _tag: "PauseQueue", queue }))],
  ["resume-queue", (given) => Effect.map(queue(given), (queue) => ({ _tag: "ResumeQueue", queue }))],
  ["dead-letters", (given) => Effect.map(queue(given), (queue) => ({ _tag: "DeadLetters", queue }))],
  ["replay-all", (given) => Effect.map(queue(given), (queue) => ({ _tag: "ReplayAll", queue }))],
  ["dead-letter", (given) => Effect.map(taskId(given), (task_id) => ({ _tag: "DeadLetter", task_id }))],
  ["replay", (given) => Effect.map(taskId(given), (task_id) => ({ _tag: "Replay", task_id }))],
  ["pause-worker", (given) => Effect.map(workerId(given), (worker_id) => ({ _tag: "PauseWorker", worker_id }))],
  ["resume-worker", (given) => Effect.map(workerId(given), (worker_id) => ({ _tag: "ResumeWorker", worker_id }))]
])

const withTwo = new Map<string, (first: string, second: string) => Parsed>([
  ["limit-queue", (first, second) =>
    Effect.map(Effect.all([queue(first), maxRunning(second === "none" ? null : numberOf(second))]), ([queue, max_running]) =>
      ({ _tag: "LimitQueue", queue, max_running }))],
  ["set-weight", (first, second) =>
    Effect.map(Effect.all([organizationId(first), weight(numberOf(second))]), ([organization_id, weight]) =>
      ({ _tag: "SetWeight", organization_id, weight }))]
])
