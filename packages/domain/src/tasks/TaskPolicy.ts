/**
 * How a kind of task is queued, timed and retried: data, stored with each task, so that a change of a kind's policy never
 * changes tasks that are already accepted.
 */
import { Duration, Schema } from "effect"

/** A day: whoever wants to wait longer submits another task. */
export const MAX_DELAY = 86_400_000

/**
 * Delays in milliseconds. The n-th retry waits `base_delay · backoff_factor^(n-1)`, at most `max_delay`, less a random share of
 * up to `jitter` (0..1, default 0.2), so that tasks that failed together do not come back together.
 */
export const RetryPolicy = Schema.Struct({
  max_retries: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  base_delay: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: MAX_DELAY }))),
  backoff_factor: Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 100 }))),
  max_delay: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: MAX_DELAY }))),
  jitter: Schema.optionalKey(Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 }))))
})
export type RetryPolicy = typeof RetryPolicy.Type

/** Names of seed 002 for numbers of the contract. */
export const PriorityName = Schema.Literals(["critical", "high", "normal", "low"])
export type PriorityName = typeof PriorityName.Type

/** 1 (background) … 10 (critical), as in the contract. */
export const Priority = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 10 })), Schema.brand("Priority"))
export type Priority = typeof Priority.Type

const named: Readonly<Record<PriorityName, number>> = { critical: 10, high: 8, normal: 5, low: 2 }

export const priorityOf = (name: PriorityName): Priority => Priority.make(named[name])

/** The name whose number is nearest from below: 9 is high, 3 low, and so is 1. */
export const priorityName = (priority: number): PriorityName =>
  priority >= named.critical ? "critical" : priority >= named.high ? "high" : priority >= named.normal ? "normal" : "low"

/** Durations in milliseconds: `attempt_timeout` for one attempt, `deadline` from submission to the end of the last one. */
export const TaskPolicy = Schema.Struct({
  queue: Schema.String,
  priority: Priority,
  attempt_timeout: Schema.Int,
  deadline: Schema.Int,
  retry: RetryPolicy,
  /** How long the record of an ended task is kept; default 30 days. */
  result_ttl: Schema.optionalKey(Schema.Int)
})
export type TaskPolicy = typeof TaskPolicy.Type

const JITTER = 0.2

/** The wait before the retry that follows the failure of `attempt` (1-based); `random` in 0..1 chooses the jitter. */
export const retryDelay = (policy: RetryPolicy, attempt: number, random: number): Duration.Duration => {
  const exponential = policy.base_delay * policy.backoff_factor ** Math.max(0, attempt - 1)
  return Duration.millis(Math.round(Math.min(policy.max_delay, exponential) * (1 - (policy.jitter ?? JITTER) * random)))
}

/** Insights and reports: the handler retries and falls back itself, so a reported failure is final (product.md). */
export const narrationPolicy: TaskPolicy = {
  queue: "default",
  priority: Priority.make(5),
  attempt_timeout: 300_000,
  deadline: 300_000,
  retry: { max_retries: 0, base_delay: 1_000, backoff_factor: 2, max_delay: 60_000 }
}

/** Seed 002's default for background tasks: 3 retries after 60, 120 and 240 s. */
export const backgroundPolicy: TaskPolicy = {
  queue: "default",
  priority: priorityOf("normal"),
  attempt_timeout: 300_000,
  deadline: 86_400_000,
  retry: { max_retries: 3, base_delay: 60_000, backoff_factor: 2, max_delay: 3_600_000 }
}
