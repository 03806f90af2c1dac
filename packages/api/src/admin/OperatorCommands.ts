/**
 * Carries out what operators ask of the queue and its workers at the command line: by the same services as the API does, with
 * the rights of whoever may run commands on the server. Running API servers learn of it as they do of each other.
 */
import type { DeadLetter } from "@englog/domain/tasks/DeadLetter"
import type { BadRequest, Conflict, Forbidden, NotFound, TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { QueueSettingView } from "@englog/rpc/http/QueueView"
import { DateTime, Effect } from "effect"
import { DeadLetterReplays, orNotFound } from "../background/DeadLetterReplays.ts"
import { QueueAdministration } from "../background/QueueAdministration.ts"
import { ClusterStatus } from "../cluster/ClusterStatus.ts"
import { WorkerAdministration } from "../cluster/WorkerAdministration.ts"
import { type DeadLetterFilter, DeadLetterRepo } from "../queue/DeadLetterRepo.ts"
import { atTheServer } from "../security/Operator.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { AdminCommandError } from "./AdminCommandError.ts"
import type { OperatorCommand } from "./OperatorArguments.ts"

/** Answers what is to be printed. */
export const runOperatorCommand = (command: OperatorCommand) =>
  carryOut(command).pipe(
    Effect.catchIf(isRefusal, ({ error }) => Effect.fail(new AdminCommandError({ message: error })))
  )

type Refusal = BadRequest | Conflict | Forbidden | NotFound | TooManyRequests

const isRefusal = <E>(error: E | Refusal): error is Refusal =>
  typeof error === "object" && error !== null && "error" in error && typeof error.error === "string"

const carryOut = Effect.fnUntraced(function*(command: OperatorCommand) {
  const queues = yield* QueueAdministration
  const workers = yield* WorkerAdministration
  switch (command._tag) {
    case "Queues":
      return listQueues(yield* queues.stats(atTheServer))
    case "PauseQueue":
      return settingOf(yield* queues.pause(atTheServer, command.queue))
    case "ResumeQueue":
      return settingOf(yield* queues.resume(atTheServer, command.queue))
    case "LimitQueue":
      return settingOf(yield* queues.limit(atTheServer, command.queue, command.max_running))
    case "Weights":
      return yield* listWeights
    case "SetWeight":
      return line(yield* queues.weigh(atTheServer, command.organization_id, command.weight))
    case "Workers":
      return yield* listWorkers
    case "PauseWorker":
      return line(yield* workers.pause(atTheServer, command.worker_id))
    case "ResumeWorker":
      return line(yield* workers.resume(atTheServer, command.worker_id))
    case "DeadLetters":
      return yield* listDeadLetters(filterOf(command.queue))
    case "DeadLetter": {
      const found = yield* Effect.flatMap(DeadLetterRepo, (repo) => repo.find(command.task_id))
      return whole(yield* orNotFound(command.task_id, found))
    }
    case "Replay": {
      const task_id = yield* Effect.flatMap(DeadLetterReplays, ({ one }) => one(command.task_id))
      yield* noteReplays(1)
      return `${command.task_id} is tried anew as ${task_id}.`
    }
    case "ReplayAll":
      return yield* replayAll(filterOf(command.queue))
  }
})

const filterOf = (queue: string | undefined): DeadLetterFilter => queue === undefined || queue === "*" ? {} : { queue }

/** `name=value` of each, as the audit log is printed. */
const line = (fields: Readonly<Record<string, string | number | boolean | null>>): string =>
  Object.entries(fields).map(([name, value]) => `${name}=${value ?? "-"}`).join(" ")

const lines = (found: ReadonlyArray<string>, otherwise: string): string => found.length === 0 ? otherwise : found.join("\n")

const settingOf = ({ max_running, paused, queue }: typeof QueueSettingView.Type): string =>
  line({ queue, paused, max_running: max_running ?? "none" })

const listQueues = ({ queues, totals }: Effect.Success<ReturnType<QueueAdministration["Service"]["stats"]>>): string =>
  [
    ...queues.map(({ blocked, delayed, oldest_due_seconds, ready, running, ...setting }) =>
      `${settingOf(setting)} ${line({ ready, delayed, blocked, running, oldest_due_seconds: Math.round(oldest_due_seconds) })}`),
    `In all: ${line(totals)}`
  ].join("\n")

const listWeights = Effect.gen(function*() {
  const queues = yield* QueueAdministration
  const printed: Array<string> = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Effect.Success<ReturnType<typeof queues.weights>> = yield* queues.weights(atTheServer, {
      limit: SHOWN,
      ...(cursor === undefined ? {} : { cursor })
    })
    printed.push(...page.items.map(line))
    cursor = page.next_cursor
  }
  return lines(printed, "Every organization has weight=1.")
})

const listWorkers = Effect.gen(function*() {
  const found = yield* (yield* ClusterStatus).workers
  return lines(
    found.map(({ active_tasks, max_concurrent_tasks, paused, queues, status, worker_id }) =>
      line({ worker_id, status, paused, active_tasks, max_concurrent_tasks, queues: queues.join(",") })),
    "No worker is connected."
  )
})

/** More would scroll away. */
const SHOWN = 200

const listDeadLetters = Effect.fnUntraced(function*(filter: DeadLetterFilter) {
  const found = yield* Effect.flatMap(DeadLetterRepo, (repo) => repo.list({ ...filter, unplayed: true }, null, SHOWN))
  return lines(found.map((letter) => line(summary(letter))), "There are no dead letters.")
})

const summary = ({ attempt, error, failed_at, kind, organization_id, queue, reason, task_id }: typeof DeadLetter.Type) => ({
  task_id, failed_at: DateTime.formatIso(failed_at), kind, queue, organization_id, attempt, reason, error: JSON.stringify(error)
})

/** One field per line. What a user wrote beside the payload is not for operators. */
const whole = (letter: typeof DeadLetter.Type & { readonly payload: string }): string =>
  Object.entries({ ...summary(letter), replayed_as: letter.replayed_as, payload: letter.payload })
    .map(([name, value]) => `${name}=${value ?? "-"}`).join("\n")

const noteReplays = (replayed: number) =>
  Effect.flatMap(SecurityEvents, ({ record }) => record({ event: "dead_letters_replayed", detail: { replayed } }))

const replayAll = Effect.fnUntraced(function*(filter: DeadLetterFilter) {
  const { items, more } = yield* Effect.flatMap(DeadLetterReplays, ({ all }) => all(filter))
  if (items.length === 0) return "There is nothing to replay."
  yield* noteReplays(items.length)
  return [
    ...items.map(({ dead_letter, task_id }) => `${dead_letter} is tried anew as ${task_id}.`),
    ...(more ? ["There are more: say it again."] : [])
  ].join("\n")
})
