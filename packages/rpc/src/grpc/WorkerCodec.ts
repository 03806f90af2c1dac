/**
 * Carries `WorkerMessages` over the protobuf contract. Beside the two gateways nothing else sees protobuf types.
 *
 * `decode…` of requests fails with INVALID_ARGUMENT naming the field; `decode…` of answers and stream messages fails with
 * INTERNAL, because then the server breaks the contract. `encode…` is total.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { DateTime, Duration, Effect, Option, Redacted, Schema } from "effect"
import * as pb from "./gen/englog/v1/worker_pb.js"
import type { GrpcError } from "./GrpcError.ts"
import {
  MAX_HELD_TASKS,
  MAX_NAME_LENGTH,
  MAX_NAMES,
  MAX_PROGRESS_MESSAGE_LENGTH,
  MAX_REASON_LENGTH,
  MAX_RESULT_BYTES,
  MAX_SCHEMA_LENGTH
} from "./WireLimits.ts"
import {
  bounded,
  boundedMetadata,
  boundedNames,
  broken,
  dateTime,
  decodeHeld,
  decodeProof,
  heldTask,
  invalid,
  maxConcurrentTasks,
  optionalSecret,
  optionalTimestamp,
  proof,
  queueNames,
  secret,
  taskId,
  timestamp,
  workerId
} from "./WireFields.ts"
import { announce, announced, kindOfTask, taskTypeOf } from "./WorkerKinds.ts"
import type * as Messages from "./WorkerMessages.ts"

const known = ["max_concurrent_tasks", "queues", "resume_session_token", "enrollment_token", "protocol"]

// --- RegisterWorker

export const encodeRegistration = (
  registration: Messages.WorkerRegistration
): MessageInitShape<typeof pb.RegisterWorkerRequestSchema> => ({
  workerId: registration.worker_id,
  workerName: registration.worker_name,
  version: registration.version,
  ...announce(registration.kinds),
  announcedKinds: registration.announced_kinds.map((kind) => ({
    name: kind.name,
    payloadJsonSchema: kind.payload_schema,
    resultJsonSchema: kind.result_schema,
    ...Option.match(kind.policy, { onNone: () => ({}), onSome: (policy) => ({ policy: announcedPolicy(policy) }) })
  })),
  metadata: {
    ...registration.metadata,
    max_concurrent_tasks: String(registration.max_concurrent_tasks),
    queues: registration.queues.join(","),
    protocol: String(registration.protocol),
    ...secret("resume_session_token", registration.resume_session_token),
    ...secret("enrollment_token", registration.enrollment_token)
  }
})

const announcedPolicy = ({ attempt_timeout, deadline, priority, queue, retry }: TaskPolicy) => ({
  queue,
  priority,
  attemptTimeout: attempt_timeout,
  deadline,
  maxRetries: retry.max_retries,
  baseDelay: retry.base_delay,
  backoffFactor: retry.backoff_factor,
  maxDelay: retry.max_delay
})

const decodePolicy = Schema.decodeUnknownEffect(TaskPolicy)

const decodeAnnouncement = Effect.fnUntraced(function*(kind: pb.KindAnnouncement) {
  const { policy } = kind
  const announcement: Messages.KindAnnouncement = {
    name: yield* bounded(kind.name, "announced_kinds.name", MAX_NAME_LENGTH),
    payload_schema: yield* bounded(kind.payloadJsonSchema, `announced_kinds[${kind.name}].payload_json_schema`, MAX_SCHEMA_LENGTH),
    result_schema: yield* bounded(kind.resultJsonSchema, `announced_kinds[${kind.name}].result_json_schema`, MAX_SCHEMA_LENGTH),
    policy: policy === undefined ? Option.none() : Option.some(
      yield* decodePolicy({
        queue: policy.queue,
        priority: policy.priority,
        attempt_timeout: policy.attemptTimeout,
        deadline: policy.deadline,
        retry: {
          max_retries: policy.maxRetries,
          base_delay: policy.baseDelay,
          backoff_factor: policy.backoffFactor,
          max_delay: policy.maxDelay
        }
      }).pipe(Effect.mapError((error) => invalid(`announced_kinds[${kind.name}].policy: ${error.message}`)))
    )
  }
  return announcement
})

export const decodeRegistration = Effect.fnUntraced(function*(request: pb.RegisterWorkerRequest) {
  const kinds = announced(request.capabilities, request.kinds)
  if (kinds.length === 0) return yield* invalid("capabilities: announce at least one capability or kind")
  const { metadata } = request
  yield* boundedMetadata(metadata, known)
  const registration: Messages.WorkerRegistration = {
    worker_id: yield* workerId(request.workerId),
    worker_name: yield* bounded(request.workerName, "worker_name", MAX_NAME_LENGTH),
    version: yield* bounded(request.version, "version", MAX_NAME_LENGTH),
    kinds: yield* boundedNames(kinds, "kinds"),
    announced_kinds: request.announcedKinds.length > MAX_NAMES
      ? yield* invalid(`announced_kinds: has ${request.announcedKinds.length} entries; give at most ${MAX_NAMES}`)
      : yield* Effect.forEach(request.announcedKinds, decodeAnnouncement),
    max_concurrent_tasks: yield* maxConcurrentTasks(metadata["max_concurrent_tasks"]),
    queues: yield* boundedNames(queueNames(metadata["queues"]), "metadata.queues"),
    protocol: metadata["protocol"] === "2" ? 2 : 1,
    resume_session_token: optionalSecret(metadata["resume_session_token"]),
    enrollment_token: optionalSecret(metadata["enrollment_token"]),
    metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => !known.includes(name)))
  }
  return registration
})

export const encodeRegistrationAnswer = (
  answer: Messages.RegistrationAnswer
): MessageInitShape<typeof pb.RegisterWorkerResponseSchema> => ({
  sessionToken: Redacted.value(answer.session_token),
  heartbeatIntervalSeconds: Math.max(1, Math.ceil(Duration.toSeconds(answer.heartbeat_interval))),
  registrationSuccessful: true,
  message: answer.message
})

export const decodeRegistrationAnswer = Effect.fnUntraced(function*(response: pb.RegisterWorkerResponse) {
  if (!response.registrationSuccessful || response.sessionToken === "") {
    return yield* broken(`the server refused the registration: ${response.message}`)
  }
  const answer: Messages.RegistrationAnswer = {
    session_token: Redacted.make(response.sessionToken),
    heartbeat_interval: Duration.seconds(response.heartbeatIntervalSeconds > 0 ? response.heartbeatIntervalSeconds : 30),
    message: response.message
  }
  return answer
})

// --- WorkerHeartbeat

const statusNames = [
  { name: "idle", status: pb.WorkerStatus.IDLE },
  { name: "busy", status: pb.WorkerStatus.BUSY },
  { name: "draining", status: pb.WorkerStatus.DRAINING },
  { name: "unhealthy", status: pb.WorkerStatus.UNHEALTHY }
] as const

export const statusNumber = (status: Messages.WorkerStatus): pb.WorkerStatus =>
  statusNames.find((entry) => entry.name === status)?.status ?? pb.WorkerStatus.UNSPECIFIED

export const statusOf = (status: pb.WorkerStatus): Messages.WorkerStatus | undefined =>
  statusNames.find((entry) => entry.status === status)?.name

export const encodeHeartbeat = (beat: Messages.Heartbeat): MessageInitShape<typeof pb.WorkerHeartbeatRequestSchema> => ({
  ...proof(beat),
  status: statusNumber(beat.status),
  heldTasks: beat.held_tasks.map(heldTask),
  acknowledgedPing: beat.acknowledged_ping,
  ...Option.match(beat.stats, {
    onNone: () => ({}),
    onSome: (stats) => ({
      stats: {
        activeTasks: stats.active_tasks,
        completedTasks: stats.completed_tasks,
        failedTasks: stats.failed_tasks,
        cpuUsage: stats.cpu_usage,
        memoryUsage: stats.memory_usage,
        uptime: optionalTimestamp(stats.started_at)
      }
    })
  })
})

export const decodeHeartbeat = Effect.fnUntraced(function*(request: pb.WorkerHeartbeatRequest) {
  const held = request.heldTasks.length
  if (held > MAX_HELD_TASKS) return yield* invalid(`held_tasks: has ${held} entries; give at most ${MAX_HELD_TASKS}`)
  const { stats } = request
  const beat: Messages.Heartbeat = {
    ...(yield* decodeProof(request)),
    // A worker that states no status is taken at its word by its number of tasks.
    status: statusOf(request.status) ??
      ((stats?.activeTasks ?? 0) > 0 ? "busy" : "idle"),
    stats: Option.map(Option.fromUndefinedOr(stats), (given) => ({
      active_tasks: given.activeTasks,
      completed_tasks: given.completedTasks,
      failed_tasks: given.failedTasks,
      cpu_usage: given.cpuUsage,
      memory_usage: given.memoryUsage,
      started_at: dateTime(given.uptime)
    })),
    held_tasks: yield* Effect.forEach(request.heldTasks, (held) => decodeHeld(held, "held_tasks.task_id")),
    acknowledged_ping: request.acknowledgedPing
  }
  return beat
})

export const encodeHeartbeatAnswer = (
  answer: Messages.HeartbeatAnswer
): MessageInitShape<typeof pb.WorkerHeartbeatResponseSchema> => ({
  connectionHealthy: answer.connection_healthy,
  serverTime: timestamp(answer.server_time),
  revokedTasks: answer.revoked_tasks.map(heldTask)
})

export const decodeHeartbeatAnswer = Effect.fnUntraced(function*(response: pb.WorkerHeartbeatResponse) {
  const answer: Messages.HeartbeatAnswer = {
    connection_healthy: response.connectionHealthy,
    server_time: Option.getOrElse(dateTime(response.serverTime), () => DateTime.makeUnsafe(0)),
    revoked_tasks: yield* Effect.forEach(response.revokedTasks, (held) => decodeHeld(held, "revoked_tasks.task_id", broken))
  }
  return answer
})

// --- StreamTasks

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

// --- ReportTaskResult

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

// --- UpdateTaskProgress, GetTaskData, LeaveSession, HealthCheck

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

export const encodeLeave = (notice: Messages.LeaveNotice): MessageInitShape<typeof pb.LeaveSessionRequestSchema> => ({
  ...proof(notice),
  reason: notice.reason
})

export const decodeLeave = Effect.fnUntraced(function*(request: pb.LeaveSessionRequest) {
  const notice: Messages.LeaveNotice = {
    ...(yield* decodeProof(request)),
    reason: yield* bounded(request.reason, "reason", MAX_REASON_LENGTH)
  }
  return notice
})

export const encodeServerHealth = (health: Messages.ServerHealth): MessageInitShape<typeof pb.HealthCheckResponseSchema> => ({
  status: health.status,
  services: { ...health.services },
  timestamp: timestamp(health.timestamp)
})
