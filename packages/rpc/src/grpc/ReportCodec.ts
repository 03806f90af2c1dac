/**
 * What a worker says and asks of a task that it holds: ReportTaskResult, UpdateTaskProgress, GetTaskData, GetTaskDataPart,
 * BeginEffect and StoreTaskPart, between `WorkerMessages` and the protobuf contract.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { Effect } from "effect"
import * as pb from "./gen/englog/v1/worker_pb.js"
import type { GrpcError } from "./GrpcError.ts"
import { bounded, dateTime, decodeHeld, decodeProof, heldTask, invalid, optionalTimestamp, proof } from "./WireFields.ts"
import { failureFields, failureTerms } from "./FailureFields.ts"
import { MAX_NAME_LENGTH, MAX_PROGRESS_MESSAGE_LENGTH, MAX_REASON_LENGTH, MAX_RESULT_BYTES } from "./WireLimits.ts"
import type * as Messages from "./WorkerMessages.ts"

export const encodeReport = (report: Messages.OutcomeReport): MessageInitShape<typeof pb.TaskResultRequestSchema> => ({
  ...proof(report),
  ...heldTask(report),
  ...outcomeFields(report.outcome),
  startedAt: optionalTimestamp(report.started_at),
  completedAt: optionalTimestamp(report.completed_at)
})

const outcomeFields = (outcome: Messages.AttemptOutcome) => {
  switch (outcome._tag) {
    case "Completed":
      return { status: pb.TaskStatus.COMPLETED, result: outcome.result }
    case "Failed":
      return { status: pb.TaskStatus.FAILED, errorMessage: outcome.error, ...failureFields(outcome) }
    case "Cancelled":
      return { status: pb.TaskStatus.CANCELLED, errorMessage: outcome.error }
  }
}

export const decodeReport = Effect.fnUntraced(function*(request: pb.TaskResultRequest) {
  const report: Messages.OutcomeReport = {
    ...(yield* decodeProof(request)),
    ...(yield* decodeHeld(request, "task_id")),
    outcome: yield* decodeOutcome(request),
    started_at: dateTime(request.startedAt),
    completed_at: dateTime(request.completedAt)
  }
  return report
})

const decodeOutcome = Effect.fnUntraced(function*(request: pb.TaskResultRequest): Effect.fn.Return<Messages.AttemptOutcome, GrpcError> {
  const reason = yield* bounded(request.errorMessage, "error_message", MAX_REASON_LENGTH)
  const bytes = Buffer.byteLength(request.result)
  if (bytes > MAX_RESULT_BYTES) return yield* invalid(`result: has ${bytes} bytes; give at most ${MAX_RESULT_BYTES}`)
  switch (request.status) {
    case pb.TaskStatus.COMPLETED:
      return { _tag: "Completed", result: request.result }
    case pb.TaskStatus.FAILED:
      return { _tag: "Failed", error: reason, ...failureTerms(request) }
    case pb.TaskStatus.CANCELLED:
      return { _tag: "Cancelled", error: reason }
    default:
      return yield* invalid("status: report COMPLETED, FAILED or CANCELLED")
  }
})

export const encodeReportAnswer = (answer: Messages.ReportAnswer): MessageInitShape<typeof pb.TaskResultResponseSchema> => answer

export const decodeReportAnswer = (response: pb.TaskResultResponse): Messages.ReportAnswer => ({
  accepted: response.accepted,
  message: response.message
})

export const encodeProgress = (report: Messages.ProgressReport): MessageInitShape<typeof pb.TaskProgressRequestSchema> => ({
  ...proof(report),
  ...heldTask(report),
  progress: report.progress,
  message: report.message
})

export const decodeProgress = Effect.fnUntraced(function*(request: pb.TaskProgressRequest) {
  if (request.progress < 0 || request.progress > 100) return yield* invalid("progress: give a percentage from 0 to 100")
  const report: Messages.ProgressReport = {
    ...(yield* decodeProof(request)),
    ...(yield* decodeHeld(request, "task_id")),
    progress: request.progress,
    message: yield* bounded(request.message, "message", MAX_PROGRESS_MESSAGE_LENGTH)
  }
  return report
})

export const encodeTaskDataQuestion = (
  question: Messages.TaskDataQuestion
): MessageInitShape<typeof pb.TaskDataRequestSchema> => ({ ...proof(question), ...heldTask(question) })

export const decodeTaskDataQuestion = Effect.fnUntraced(function*(request: pb.TaskDataRequest) {
  const question: Messages.TaskDataQuestion = {
    ...(yield* decodeProof(request)),
    ...(yield* decodeHeld(request, "task_id"))
  }
  return question
})

export const encodeTaskDataPartQuestion = (
  question: Messages.TaskDataPartQuestion
): MessageInitShape<typeof pb.TaskDataPartRequestSchema> => ({ ...proof(question), ...heldTask(question), name: question.name, index: question.index })

export const decodeTaskDataPartQuestion = Effect.fnUntraced(function*(request: pb.TaskDataPartRequest) {
  if (request.index < 0) return yield* invalid("index: give a number from 0")
  const question: Messages.TaskDataPartQuestion = {
    ...(yield* decodeProof(request)),
    ...(yield* decodeHeld(request, "task_id")),
    name: yield* bounded(request.name, "name", MAX_NAME_LENGTH),
    index: request.index
  }
  return question
})

export const encodeBeginEffect = (
  intent: Messages.EffectIntent
): MessageInitShape<typeof pb.BeginEffectRequestSchema> => ({ ...proof(intent), ...heldTask(intent) })

export const decodeBeginEffect = Effect.fnUntraced(function*(request: pb.BeginEffectRequest) {
  const intent: Messages.EffectIntent = {
    ...(yield* decodeProof(request)),
    ...(yield* decodeHeld(request, "task_id"))
  }
  return intent
})

export const decodePermission = ({ granted, reason }: pb.BeginEffectResponse): Messages.EffectPermission => ({ granted, reason })

export const encodeTaskPart = (report: Messages.TaskPart): MessageInitShape<typeof pb.TaskPartRequestSchema> => ({
  ...proof(report),
  ...heldTask(report),
  part: report.part
})

export const decodeTaskPart = Effect.fnUntraced(function*(request: pb.TaskPartRequest) {
  if (Buffer.byteLength(request.part) > MAX_RESULT_BYTES) return yield* invalid(`part: must be at most ${MAX_RESULT_BYTES} bytes`)
  const report: Messages.TaskPart = {
    ...(yield* decodeProof(request)),
    ...(yield* decodeHeld(request, "task_id")),
    part: request.part
  }
  return report
})
