/**
 * The task state machine. One pure function decides what an event makes of a task; repositories only carry it out.
 * The diagram is in migrations/README.md, and CHECK constraints in the database match it.
 *
 *   queued → running → completed | failed | cancelled
 *   running → queued (retry later, lost worker, handed back)      queued → cancelled | expired
 *
 * The attempt number is the fence: claiming increments it, and an outcome of an earlier attempt changes nothing.
 */
import { Duration, Schema } from "effect"
import { MAX_DELAY, retryDelay, type RetryPolicy } from "./TaskPolicy.ts"

export const TaskState = Schema.Literals(["queued", "running", "completed", "failed", "cancelled", "expired"])
export type TaskState = typeof TaskState.Type

/** What a client sees (product.md): an expired task is failed, with its reason. */
export const PublicTaskState = Schema.Literals(["pending", "running", "completed", "failed", "cancelled"])
export type PublicTaskState = typeof PublicTaskState.Type

export const isTerminal = (state: TaskState): boolean => state !== "queued" && state !== "running"

export const toPublicState = (state: TaskState): PublicTaskState =>
  state === "queued" ? "pending" : state === "expired" ? "failed" : state

/** Why a task failed: `error` reported by its handler, `lost` with its workers, `deadline` passed (running or queued). */
export const FailureReason = Schema.Literals(["error", "lost", "deadline"])
export type FailureReason = typeof FailureReason.Type

/** Rescues in a row after which a task is not tried again (product.md, "Task policies"). */
export const MAX_RESCUES = 3

/** What the state machine needs to know of a task. `random` in 0..1 is the source of the retry's jitter. */
export interface TaskSituation {
  readonly state: TaskState
  /** Claims so far; 0 before the first. */
  readonly attempt: number
  readonly max_attempts: number
  /** Rescues since the last outcome that a worker reported. */
  readonly rescues: number
  readonly cancel_requested: boolean
  readonly retry: RetryPolicy
}

export type TaskEvent =
  | { readonly _tag: "Claimed" }
  | { readonly _tag: "Completed" }
  /** `retry_after`: milliseconds that a further attempt waits at least. `counted` false: it did not use up one of the policy's tries. */
  | { readonly _tag: "Failed"; readonly retryable: boolean; readonly retry_after?: number; readonly counted?: boolean }
  /** The worker confirms a cancellation. */
  | { readonly _tag: "Stopped" }
  | { readonly _tag: "CancelRequested" }
  /** Nobody confirmed the cancellation in time. */
  | { readonly _tag: "CancelForced" }
  /** The worker that held it is gone. */
  | { readonly _tag: "Lost" }
  /** A worker that is leaving handed it back; not a sign that the task is harmful. */
  | { readonly _tag: "HandedBack" }
  | { readonly _tag: "DeadlinePassed" }

export type Decision =
  | { readonly _tag: "Refuse"; readonly why: string }
  | { readonly _tag: "Run"; readonly attempt: number }
  | { readonly _tag: "AwaitCancel" }
  | {
    readonly _tag: "Requeue"
    readonly cause: "retry" | "rescue" | "handed-back"
    readonly delay: Duration.Duration
    readonly max_attempts: number
    readonly rescues: number
  }
  | { readonly _tag: "End"; readonly state: "completed" | "cancelled" | "expired" }
  | { readonly _tag: "Fail"; readonly reason: FailureReason }

const refuse = (why: string): Decision => ({ _tag: "Refuse", why })

/**
 * What `event` makes of a task in `situation`. Total: events that do not fit are refused, never thrown.
 * A rescue or hand-back raises `max_attempts`, because it does not use up one of the policy's tries.
 */
export const decide = (situation: TaskSituation, event: TaskEvent, random: number): Decision => {
  if (isTerminal(situation.state)) return refuse(`the task is already ${situation.state}`)
  if (situation.state === "queued") return decideQueued(situation, event)
  return decideRunning(situation, event, random)
}

const decideQueued = (situation: TaskSituation, event: TaskEvent): Decision => {
  switch (event._tag) {
    case "Claimed":
      return { _tag: "Run", attempt: situation.attempt + 1 }
    case "CancelRequested":
    case "CancelForced":
      return { _tag: "End", state: "cancelled" }
    case "DeadlinePassed":
      return { _tag: "End", state: "expired" }
    // A resumed worker hands in what it finished before its task was rescued and before anybody claimed it again.
    case "Completed":
      return { _tag: "End", state: "completed" }
    case "Failed":
    case "Stopped":
    case "Lost":
    case "HandedBack":
      return refuse("the task is waiting for its next attempt")
  }
}

const decideRunning = (situation: TaskSituation, event: TaskEvent, random: number): Decision => {
  if (situation.cancel_requested && event._tag !== "CancelRequested" && event._tag !== "Claimed") {
    return { _tag: "End", state: "cancelled" }
  }
  switch (event._tag) {
    case "Claimed":
      return refuse("the task is running")
    case "Completed":
      return { _tag: "End", state: "completed" }
    case "CancelRequested":
      return { _tag: "AwaitCancel" }
    case "CancelForced":
    case "Stopped":
      return { _tag: "End", state: "cancelled" }
    case "DeadlinePassed":
      return { _tag: "Fail", reason: "deadline" }
    case "Failed":
      return failed(situation, event, random)
    case "Lost":
      return situation.rescues + 1 >= MAX_RESCUES
        ? { _tag: "Fail", reason: "lost" }
        : again("rescue", situation, situation.rescues + 1)
    case "HandedBack":
      return again("handed-back", situation, situation.rescues)
  }
}

const failed = (situation: TaskSituation, event: Extract<TaskEvent, { _tag: "Failed" }>, random: number): Decision => {
  const { counted = true, retry_after = 0, retryable } = event
  if (!retryable || (counted && situation.attempt >= situation.max_attempts)) return { _tag: "Fail", reason: "error" }
  const wait = Math.min(Math.max(0, retry_after), MAX_DELAY)
  return {
    _tag: "Requeue",
    cause: "retry",
    delay: counted ? Duration.max(retryDelay(situation.retry, situation.attempt, random), Duration.millis(wait)) : Duration.millis(wait),
    max_attempts: counted ? situation.max_attempts : situation.max_attempts + 1,
    rescues: 0
  }
}

const again = (cause: "rescue" | "handed-back", situation: TaskSituation, rescues: number): Decision => ({
  _tag: "Requeue",
  cause,
  delay: Duration.zero,
  max_attempts: situation.max_attempts + 1,
  rescues
})
