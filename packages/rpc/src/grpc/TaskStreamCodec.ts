/** What the server sends to workers: tasks and commands of StreamTasks, between `WorkerMessages` and the protobuf contract. */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { Effect, Option } from "effect"
import type * as pb from "./gen/englog/v1/worker_pb.js"
import { broken, dateTime, decodeHeld, decodeProof, optionalTimestamp, proof, taskId } from "./WireFields.ts"
import { announce, announced, kindOfTask, taskTypeOf } from "./WorkerKinds.ts"
import type * as Messages from "./WorkerMessages.ts"

export const encodeSubscription = (
  subscription: Messages.TaskSubscription
): MessageInitShape<typeof pb.StreamTasksRequestSchema> => ({
  ...proof(subscription),
  capabilities: announce(subscription.kinds).capabilities
})

export const decodeSubscription = Effect.fnUntraced(function*(request: pb.StreamTasksRequest) {
  const subscription: Messages.TaskSubscription = {
    ...(yield* decodeProof(request)),
    kinds: announced(request.capabilities, [])
  }
  return subscription
})

export const encodeToWorker = (message: Messages.ToWorker): MessageInitShape<typeof pb.TaskRequestSchema> => {
  switch (message._tag) {
    case "Task":
      return encodeTask(message.task)
    default:
      return { command: { command: commandFields(message) } }
  }
}

export const commandFields = (
  message: Command
): NonNullable<MessageInitShape<typeof pb.WorkerCommandSchema>["command"]> => {
  switch (message._tag) {
    case "Ping":
      return { case: "ping", value: { sequence: message.sequence } }
    case "CancelTask":
      return { case: "cancelTask", value: { taskId: message.task_id, attempt: message.attempt, reason: message.reason } }
    case "Drain":
      return { case: "drain", value: { reason: message.reason } }
    case "PauseIntake":
      return { case: "pauseIntake", value: { reason: message.reason } }
    case "ResumeIntake":
      return { case: "resumeIntake", value: {} }
  }
}

/** None for a command that this version does not know: a newer server may send it. */
export const decodeToWorker = Effect.fnUntraced(function*(message: pb.TaskRequest) {
  const decoded: Option.Option<Messages.ToWorker> = message.command === undefined
    ? Option.some({ _tag: "Task", task: yield* decodeTask(message) })
    : yield* decodeCommand(message.command)
  return decoded
})

const encodeTask = (task: Messages.WorkerTask): MessageInitShape<typeof pb.TaskRequestSchema> => ({
  taskId: task.task_id,
  taskType: taskTypeOf(task.kind),
  kind: task.kind,
  payload: task.payload,
  priority: task.priority,
  attempt: task.attempt,
  metadata: Option.match(task.traceparent, { onNone: () => ({}), onSome: (traceparent) => ({ traceparent }) }),
  deadline: optionalTimestamp(task.deadline)
})

const decodeTask = Effect.fnUntraced(function*(message: pb.TaskRequest) {
  const kind = kindOfTask(message.kind, message.taskType)
  if (kind === undefined) return yield* broken(`kind: task ${message.taskId} names neither kind nor task type`)
  const task: Messages.WorkerTask = {
    task_id: yield* taskId(message.taskId, "task_id", broken),
    kind,
    payload: message.payload,
    priority: message.priority,
    attempt: message.attempt,
    deadline: dateTime(message.deadline),
    traceparent: Option.fromUndefinedOr(message.metadata["traceparent"])
  }
  return task
})

export type Command = Exclude<Messages.ToWorker, { readonly _tag: "Task" }>

/** None for a command that this version does not know. */
export const decodeCommand = Effect.fnUntraced(function*({ command }: pb.WorkerCommand) {
  const decoded: Option.Option<Command> = command.case === "ping"
    ? Option.some({ _tag: "Ping", sequence: command.value.sequence })
    : command.case === "cancelTask"
    ? Option.some({
      _tag: "CancelTask",
      ...(yield* decodeHeld(command.value, "cancel_task.task_id", broken)),
      reason: command.value.reason
    })
    : command.case === "drain"
    ? Option.some({ _tag: "Drain", reason: command.value.reason })
    : command.case === "pauseIntake"
    ? Option.some({ _tag: "PauseIntake", reason: command.value.reason })
    : command.case === "resumeIntake"
    ? Option.some({ _tag: "ResumeIntake" })
    : Option.none()
  return decoded
})
