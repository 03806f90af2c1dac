/**
 * What the API server and a worker say to each other, free of protobuf. The codecs carry it over the wire contract.
 *
 * Glossary: a *session* is one registration of a worker, proven by its token; *held* tasks are the attempts it runs;
 * *protocol* 2 workers answer pings and name what they hold, protocol 1 workers know only seed 001.
 */
import type { TaskId, WorkerId } from "@englog/domain/Ids"
import type { FailureTerms } from "@englog/domain/tasks/Task"
import type { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { DateTime, Duration, Option, Redacted } from "effect"

export type SessionToken = Redacted.Redacted<string>

export interface WorkerRegistration {
  readonly worker_id: WorkerId
  readonly worker_name: string
  readonly version: string
  /** Task kinds it handles: the five of seed 001 and any others. Never empty. */
  readonly kinds: ReadonlyArray<string>
  /** Those among them that the server does not know from itself. */
  readonly announced_kinds: ReadonlyArray<KindAnnouncement>
  readonly max_concurrent_tasks: number
  readonly queues: ReadonlyArray<string>
  readonly protocol: 1 | 2
  /** Token of the session this registration continues. */
  readonly resume_session_token: Option.Option<SessionToken>
  readonly enrollment_token: Option.Option<Redacted.Redacted<string>>
  /** Metadata the contract does not know, as sent. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface KindAnnouncement {
  readonly name: string
  /** JSON Schemas, as JSON text. */
  readonly payload_schema: string
  readonly result_schema: string
  /** None: the server's default. */
  readonly policy: Option.Option<TaskPolicy>
}

export interface RegistrationAnswer {
  readonly session_token: SessionToken
  readonly heartbeat_interval: Duration.Duration
  readonly message: string
}

/** What a call on behalf of a session must carry. */
export interface SessionProof {
  readonly worker_id: WorkerId
  readonly session_token: SessionToken
}

export interface HeldTask {
  readonly task_id: TaskId
  readonly attempt: number
}

export type WorkerStatus = "idle" | "busy" | "draining" | "unhealthy"

export interface WorkerStats {
  readonly active_tasks: number
  readonly completed_tasks: number
  readonly failed_tasks: number
  /** 0..1 of one core. */
  readonly cpu_usage: number
  /** MiB resident. */
  readonly memory_usage: number
  readonly started_at: Option.Option<DateTime.Utc>
}

export interface Heartbeat extends SessionProof {
  readonly status: WorkerStatus
  readonly stats: Option.Option<WorkerStats>
  /** Protocol 2. */
  readonly held_tasks: ReadonlyArray<HeldTask>
  /** Protocol 2: sequence of the newest ping received, 0 before the first. */
  readonly acknowledged_ping: bigint
}

export interface HeartbeatAnswer {
  readonly connection_healthy: boolean
  readonly server_time: DateTime.Utc
  readonly revoked_tasks: ReadonlyArray<HeldTask>
}

export interface TaskSubscription extends SessionProof {
  /** Empty: those it registered with. */
  readonly kinds: ReadonlyArray<string>
}

/** A task as its worker sees it. */
export interface WorkerTask {
  readonly task_id: TaskId
  readonly kind: string
  /** JSON text; its shape belongs to the kind. */
  readonly payload: string
  readonly priority: number
  /** 1-based; 0 where the server names none. */
  readonly attempt: number
  readonly deadline: Option.Option<DateTime.Utc>
  /** W3C trace context of the request that caused the task. */
  readonly traceparent: Option.Option<string>
}

/** One message on the task stream. All but `Task` are sent to protocol 2 workers only. */
export type ToWorker =
  | { readonly _tag: "Task"; readonly task: WorkerTask }
  | { readonly _tag: "Ping"; readonly sequence: bigint }
  | { readonly _tag: "CancelTask"; readonly task_id: TaskId; readonly attempt: number; readonly reason: string }
  | { readonly _tag: "Drain"; readonly reason: string }
  /** Start nothing more, and give back what waits, until ResumeIntake. On a session's stream only. */
  | { readonly _tag: "PauseIntake"; readonly reason: string }
  | { readonly _tag: "ResumeIntake" }

export type AttemptOutcome =
  | { readonly _tag: "Completed"; readonly result: string }
  | { readonly _tag: "Failed"; readonly error: string } & FailureTerms
  | { readonly _tag: "Cancelled"; readonly error: string }

export interface OutcomeReport extends SessionProof, HeldTask {
  readonly outcome: AttemptOutcome
  readonly started_at: Option.Option<DateTime.Utc>
  readonly completed_at: Option.Option<DateTime.Utc>
}

export interface ReportAnswer {
  readonly accepted: boolean
  readonly message: string
}

export interface ProgressReport extends SessionProof, HeldTask {
  /** Percent, 0..100. */
  readonly progress: number
  readonly message: string
}

export interface TaskDataQuestion extends SessionProof, HeldTask {}

export interface TaskDataPartQuestion extends SessionProof, HeldTask {
  readonly name: string
  /** From 0. */
  readonly index: number
}

export interface EffectIntent extends SessionProof, HeldTask {}

export interface EffectPermission {
  readonly granted: boolean
  /** Why not, for people; empty where it is granted. */
  readonly reason: string
}

export interface TaskPart extends SessionProof, HeldTask {
  /** JSON text. */
  readonly part: string
}

export interface LeaveNotice extends SessionProof {
  readonly reason: string
}

export interface ServerHealth {
  readonly status: "healthy" | "degraded" | "unhealthy"
  readonly services: Readonly<Record<string, string>>
  readonly timestamp: DateTime.Utc
}
