/**
 * How a worker comes and goes: RegisterWorker and LeaveSession, between `WorkerMessages` and the protobuf contract.
 *
 * In this and the other codecs `decode…` of requests fails with INVALID_ARGUMENT naming the field; `decode…` of answers and
 * stream messages fails with INTERNAL, because then the server breaks the contract. `encode…` is total.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Duration, Effect, Option, Redacted, Schema } from "effect"
import type * as pb from "./gen/englog/v1/worker_pb.js"
import {
  bounded, boundedMetadata, boundedNames, broken, decodeProof, invalid, maxConcurrentTasks, optionalSecret, proof, queueNames,
  secret, workerId
} from "./WireFields.ts"
import { MAX_NAME_LENGTH, MAX_NAMES, MAX_REASON_LENGTH, MAX_SCHEMA_LENGTH } from "./WireLimits.ts"
import { announce, announced } from "./WorkerKinds.ts"
import type * as Messages from "./WorkerMessages.ts"

const known = ["max_concurrent_tasks", "queues", "resume_session_token", "enrollment_token", "protocol"]

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
