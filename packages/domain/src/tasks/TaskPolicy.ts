/**
 * How a kind of task is queued, timed and retried: data, stored with each task, so that a change of a kind's policy never
 * changes tasks that are already accepted.
 */
import { Duration, Schema } from "effect"

/** Delays in milliseconds. The n-th retry waits `base_delay · backoff_factor^(n-1)`, at most `max_delay`. */
export const RetryPolicy = Schema.Struct({
  max_retries: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  base_delay: Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))),
  backoff_factor: Schema.Finite.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(1))),
  max_delay: Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))
})
export type RetryPolicy = typeof RetryPolicy.Type

/** 1 (background) … 10 (critical), as in the contract; critical 10, high 8, normal 5, low 2 (seed 002's names). */
export const Priority = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 10 })), Schema.brand("Priority"))
export type Priority = typeof Priority.Type

/** Durations in milliseconds: `attempt_timeout` for one attempt, `deadline` from submission to the end of the last one. */
export const TaskPolicy = Schema.Struct({
  queue: Schema.String,
  priority: Priority,
  attempt_timeout: Schema.Int,
  deadline: Schema.Int,
  retry: RetryPolicy
})
export type TaskPolicy = typeof TaskPolicy.Type

/** Share of a delay that jitter may take away, so that tasks that failed together do not come back together. */
const JITTER = 0.2

/** The wait before the retry that follows the failure of `attempt` (1-based); `random` in 0..1 chooses the jitter. */
export const retryDelay = (policy: RetryPolicy, attempt: number, random: number): Duration.Duration => {
  const exponential = policy.base_delay * policy.backoff_factor ** Math.max(0, attempt - 1)
  return Duration.millis(Math.round(Math.min(policy.max_delay, exponential) * (1 - JITTER * random)))
}

/** Insights and reports: the handler retries and falls back itself, so a reported failure is final (product.md). */
export const narrationPolicy: TaskPolicy = {
  queue: "default",
  priority: Priority.make(5),
  attempt_timeout: 300_000,
  deadline: 300_000,
  retry: { max_retries: 0, base_delay: 1_000, backoff_factor: 2, max_delay: 60_000 }
}
