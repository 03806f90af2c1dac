/**
 * What a worker says and asks of a task that it holds: ReportTaskResult, UpdateTaskProgress and GetTaskData, between
 * `WorkerMessages` and the protobuf contract.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { Effect } from "effect"
import * as pb from "./gen/englog/v1/worker_pb.js"
import type { GrpcError } from "./GrpcError.ts"
import { bounded, dateTime, decodeHeld, decodeProof, heldTask, invalid, optionalTimestamp, proof } from "./WireFields.ts"
import { MAX_PROGRESS_MESSAGE_LENGTH, MAX_REASON_LENGTH, MAX_RESULT_BYTES } from "./WireLimits.ts"
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
      return { status: pb.TaskStatus.FAILED, errorMessage: outcome.error, notRetryable: !outcome.retryable }
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
  switch (request.status) {
    case pb.TaskStatus.COMPLETED: {
      const bytes = Buffer.byteLength(request.result)
      if (bytes > MAX_RESULT_BYTES) return yield* invalid(`result: has ${bytes} bytes; give at most ${MAX_RESULT_BYTES}`)
      return { _tag: "Completed", result: request.result }
    }
    case pb.TaskStatus.FAILED:
      return { _tag: "Failed", error: reason, retryable: !request.notRetryable }
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
