/**
 * Carries `SessionMessages` over the protobuf contract. What a worker says of one task is refused for itself: only a message
 * that is no such message at all fails as a whole (INVALID_ARGUMENT, naming the field).
 *
 * Thousands of tasks a second pass here, so that nothing below runs an Effect per task.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { TaskId } from "@englog/domain/Ids"
import { DateTime, Effect, Option, Schema } from "effect"
import { failureFields, failureTerms, type WireFailure } from "./FailureFields.ts"
import * as pb from "./gen/englog/v1/worker_pb.js"
import { statusNumber, statusOf } from "./HeartbeatCodec.ts"
import type * as Session from "./SessionMessages.ts"
import { commandFields, decodeCommand } from "./TaskStreamCodec.ts"
import { decodeProof, heldTask, invalid, proof } from "./WireFields.ts"
import { MAX_HELD_TASKS, MAX_PROGRESS_MESSAGE_LENGTH, MAX_REASON_LENGTH, MAX_REPORTS, MAX_RESULT_BYTES, MAX_WINDOW } from "./WireLimits.ts"
import type { AttemptOutcome, HeldTask, WorkerTask } from "./WorkerMessages.ts"

// --- From the worker

export const encodeOpening = (opening: Session.SessionOpening): MessageInitShape<typeof pb.FromWorkerSchema> => ({
  opening: { ...proof(opening), heldTasks: opening.held_tasks.map(heldTask), window: opening.window }
})

/** The first message of a stream. */
export const decodeOpening = Effect.fnUntraced(function*({ opening }: pb.FromWorker) {
  if (opening === undefined) return yield* invalid("opening: the first message has to prove the session")
  const decoded: Session.SessionOpening = {
    ...(yield* decodeProof(opening)),
    held_tasks: yield* decodeHeldTasks(opening.heldTasks, "opening.held_tasks"),
    window: yield* decodeWindow(opening.window, "opening.window")
  }
  return decoded
})

export const encodeFromWorker = (message: Session.FromWorker): MessageInitShape<typeof pb.FromWorkerSchema> => ({
  outcomes: message.outcomes.map(encodeOutcome),
  steps: message.steps.map((step) => ({ taskId: step.task_id, attempt: step.attempt, progress: step.progress, message: step.message })),
  receivedDelivery: message.received_delivery,
  returnedTasks: message.returned_tasks.map(heldTask),
  window: message.window,
  ...(message.ping_answer === undefined ? {} : {
    pingAnswer: {
      sequence: message.ping_answer.sequence,
      status: statusNumber(message.ping_answer.status),
      heldTasks: message.ping_answer.held_tasks.map(heldTask)
    }
  })
})

const encodeOutcome = ({ attempt, number, outcome, task_id, traceparent }: Session.NumberedOutcome) => ({
  number,
  taskId: task_id,
  attempt,
  traceparent,
  ...(outcome._tag === "Completed"
    ? { status: pb.TaskStatus.COMPLETED, result: outcome.result }
    : outcome._tag === "Failed"
    ? { status: pb.TaskStatus.FAILED, errorMessage: outcome.error, ...failureFields(outcome) }
    : { status: pb.TaskStatus.CANCELLED, errorMessage: outcome.error })
})

export interface DecodedFromWorker extends Session.FromWorker {
  /** What cannot be an outcome, to be answered so. */
  readonly refused: ReadonlyArray<Session.RefusedOutcome>
  readonly refused_steps: ReadonlyArray<Session.RefusedStep>
}

export const decodeFromWorker = Effect.fnUntraced(function*(message: pb.FromWorker) {
  if (message.opening !== undefined) return yield* invalid("opening: belongs into the first message only")
  for (const [field, { length }] of [["outcomes", message.outcomes], ["steps", message.steps]] as const) {
    if (length > MAX_REPORTS) return yield* invalid(`${field}: has ${length} entries; give at most ${MAX_REPORTS}`)
  }
  const outcomes: Array<Session.NumberedOutcome> = []
  const refused: Array<Session.RefusedOutcome> = []
  for (const outcome of message.outcomes) {
    const decoded = decodeOutcome(outcome)
    if (typeof decoded === "string") refused.push({ number: outcome.number, refusal: "invalid", reason: decoded })
    else outcomes.push(decoded)
  }
  const steps: Array<Session.TaskStep> = []
  const refused_steps: Array<Session.RefusedStep> = []
  for (const step of message.steps) {
    const reason = problemOfStep(step)
    // Whoever names no task cannot be answered about it.
    if (!isTaskId(step.taskId)) return yield* invalid(`steps.task_id: "${step.taskId.slice(0, 200)}" is not a task id`)
    if (reason === undefined) steps.push({ task_id: step.taskId, attempt: step.attempt, progress: step.progress, message: step.message })
    else refused_steps.push({ task_id: step.taskId, attempt: step.attempt, reason })
  }
  const { pingAnswer } = message
  const decoded: DecodedFromWorker = {
    outcomes,
    refused,
    steps,
    refused_steps,
    received_delivery: message.receivedDelivery,
    ping_answer: pingAnswer === undefined ? undefined : {
      sequence: pingAnswer.sequence,
      status: statusOf(pingAnswer.status) ?? (pingAnswer.heldTasks.length > 0 ? "busy" : "idle"),
      held_tasks: yield* decodeHeldTasks(pingAnswer.heldTasks, "ping_answer.held_tasks")
    },
    returned_tasks: yield* decodeHeldTasks(message.returnedTasks, "returned_tasks"),
    window: yield* decodeWindow(message.window, "window")
  }
  return decoded
})

const isTaskId = Schema.is(TaskId)

/** The outcome, or what is wrong with it. */
const decodeOutcome = (outcome: pb.TaskOutcome): Session.NumberedOutcome | string => {
  const { attempt, errorMessage, number, result, status, taskId: task_id, traceparent } = outcome
  if (!isTaskId(task_id)) return `task_id: "${task_id.slice(0, 200)}" is not a task id`
  if (attempt < 0) return `attempt: ${attempt} is negative`
  if (errorMessage.length > MAX_REASON_LENGTH) return tooLong("error_message", errorMessage.length, MAX_REASON_LENGTH)
  // A character has at most three bytes in UTF-8, as JavaScript counts them.
  if (result.length > MAX_RESULT_BYTES / 3 && Buffer.byteLength(result) > MAX_RESULT_BYTES) {
    return `result: has ${Buffer.byteLength(result)} bytes; give at most ${MAX_RESULT_BYTES}`
  }
  const decoded = outcomeOf(status, result, errorMessage, outcome)
  if (decoded === undefined) return "status: report COMPLETED, FAILED or CANCELLED"
  return { number, task_id, attempt, outcome: decoded, traceparent: traceparent.length > 64 ? "" : traceparent }
}

const outcomeOf = (status: pb.TaskStatus, result: string, error: string, failure: WireFailure): AttemptOutcome | undefined => {
  switch (status) {
    case pb.TaskStatus.COMPLETED:
      return { _tag: "Completed", result }
    case pb.TaskStatus.FAILED:
      return { _tag: "Failed", error, ...failureTerms(failure) }
    case pb.TaskStatus.CANCELLED:
      return { _tag: "Cancelled", error }
    default:
      return undefined
  }
}

const problemOfStep = ({ attempt, message, progress }: pb.TaskStep): string | undefined =>
  attempt < 0
    ? `attempt: ${attempt} is negative`
    : progress < 0 || progress > 100
    ? "progress: give a percentage from 0 to 100"
    : message.length > MAX_PROGRESS_MESSAGE_LENGTH
    ? tooLong("message", message.length, MAX_PROGRESS_MESSAGE_LENGTH)
    : undefined

const tooLong = (field: string, length: number, max: number) => `${field}: has ${length} characters; give at most ${max}`

const decodeHeldTasks = (held: ReadonlyArray<pb.HeldTask>, field: string) =>
  Effect.suspend(() => {
    if (held.length > MAX_HELD_TASKS) return Effect.fail(invalid(`${field}: has ${held.length} entries; give at most ${MAX_HELD_TASKS}`))
    const decoded: Array<HeldTask> = []
    for (const { attempt, taskId: task_id } of held) {
      if (!isTaskId(task_id)) return Effect.fail(invalid(`${field}.task_id: "${task_id.slice(0, 200)}" is not a task id`))
      if (attempt < 0) return Effect.fail(invalid(`${field}.attempt: ${attempt} is negative`))
      decoded.push({ task_id, attempt })
    }
    return Effect.succeed<ReadonlyArray<HeldTask>>(decoded)
  })

const decodeWindow = (window: number, field: string) =>
  window >= 0 && window <= MAX_WINDOW
    ? Effect.succeed(window)
    : Effect.fail(invalid(`${field}: give a whole number from 0 to ${MAX_WINDOW}`))

// --- From the server

export const encodeFromServer = (message: Session.FromServer): MessageInitShape<typeof pb.FromServerSchema> => ({
  delivery: message.delivery,
  tasks: message.tasks.map(encodeDelivery),
  accepted: [...message.accepted],
  refused: message.refused.map(({ number, reason, refusal }) => ({ number, refusal: refusalNumbers[refusal], reason })),
  refusedSteps: message.refused_steps.map((step) => ({ ...heldTask(step), reason: step.reason })),
  commands: message.commands.map((command) => ({ command: commandFields(command) })),
  revokedTasks: message.revoked_tasks.map(heldTask)
})

const encodeDelivery = (task: WorkerTask) => ({
  taskId: task.task_id,
  kind: task.kind,
  payload: task.payload,
  priority: task.priority,
  attempt: task.attempt,
  deadline: Option.isSome(task.deadline) ? DateTime.toEpochMillis(task.deadline.value) : 0,
  traceparent: Option.isSome(task.traceparent) ? task.traceparent.value : ""
})

/** Skips what breaks the contract, with a word of it: the rest of the message must not go down with it. */
export const decodeFromServer = Effect.fnUntraced(function*(message: pb.FromServer) {
  const tasks: Array<WorkerTask> = []
  for (const delivery of message.tasks) {
    const task = decodeDelivery(delivery)
    if (task === undefined) yield* skipped(`task "${delivery.taskId.slice(0, 200)}" of kind "${delivery.kind.slice(0, 200)}"`)
    else tasks.push(task)
  }
  const decoded: Session.FromServer = {
    delivery: message.delivery,
    tasks,
    accepted: message.accepted,
    refused: message.refused.map(({ number, reason, refusal }) => ({ number, refusal: refusalOf(refusal), reason })),
    refused_steps: message.refusedSteps.flatMap(({ attempt, reason, taskId: task_id }) => isTaskId(task_id) ? [{ task_id, attempt, reason }] : []),
    commands: (yield* Effect.forEach(message.commands, (command) =>
      decodeCommand(command).pipe(Effect.catch((error) => Effect.as(skipped(error.message), Option.none()))))).flatMap(Option.toArray),
    revoked_tasks: message.revokedTasks.flatMap(({ attempt, taskId: task_id }) => isTaskId(task_id) ? [{ task_id, attempt }] : [])
  }
  return decoded
})

const skipped = (what: string) => Effect.logWarning("skipped what the API server sent against the contract").pipe(Effect.annotateLogs({ what }))

const decodeDelivery = (delivery: pb.TaskDelivery): WorkerTask | undefined => {
  const { attempt, deadline, kind, payload, priority, taskId: task_id, traceparent } = delivery
  if (!isTaskId(task_id) || kind === "") return undefined
  return {
    task_id,
    kind,
    payload,
    priority,
    attempt,
    deadline: deadline > 0 ? DateTime.make(deadline) : Option.none(),
    traceparent: traceparent === "" ? Option.none() : Option.some(traceparent)
  }
}

const refusalNumbers = {
  not_held: pb.OutcomeRefusal.NOT_HELD,
  invalid: pb.OutcomeRefusal.INVALID,
  later: pb.OutcomeRefusal.LATER
} as const satisfies Record<Session.OutcomeRefusal, pb.OutcomeRefusal>

/** A refusal that this version does not know is final: nothing is gained by saying the same again. */
const refusalOf = (refusal: pb.OutcomeRefusal): Session.OutcomeRefusal =>
  refusal === pb.OutcomeRefusal.INVALID ? "invalid" : refusal === pb.OutcomeRefusal.LATER ? "later" : "not_held"
