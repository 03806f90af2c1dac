/** Situations and events of the task state machine, and a life that carries decisions out as the repositories do. */
import { Duration } from "effect"
import * as fc from "fast-check"
import type { RetryPolicy } from "../../src/tasks/TaskPolicy.ts"
import { decide, type Decision, type TaskEvent, type TaskSituation, type TaskState } from "../../src/tasks/TaskState.ts"

/** Seed 002's default: 3 retries, 60 s × 2, at most 1 h. */
export const patient: RetryPolicy = { max_retries: 3, base_delay: 60_000, backoff_factor: 2, max_delay: 3_600_000 }

export const situation = (parts: Partial<TaskSituation> = {}): TaskSituation => ({
  state: "running",
  attempt: 1,
  max_attempts: 4,
  rescues: 0,
  cancel_requested: false,
  retry: patient,
  ...parts
})

export const ended: ReadonlyArray<TaskState> = ["completed", "failed", "cancelled", "expired"]

export const arbitraryRetry: fc.Arbitrary<RetryPolicy> = fc.record({
  max_retries: fc.integer({ min: 0, max: 100 }),
  base_delay: fc.integer({ min: 0, max: 600_000 }),
  backoff_factor: fc.double({ min: 1, max: 10, noNaN: true }),
  max_delay: fc.integer({ min: 0, max: 3_600_000 })
})

export const arbitraryEvent: fc.Arbitrary<TaskEvent> = fc.oneof(
  fc.constantFrom<TaskEvent>(
    { _tag: "Claimed" }, { _tag: "Completed" }, { _tag: "Stopped" }, { _tag: "CancelRequested" }, { _tag: "CancelForced" },
    { _tag: "Lost" }, { _tag: "HandedBack" }, { _tag: "DeadlinePassed" }
  ),
  fc.boolean().map((retryable): TaskEvent => ({ _tag: "Failed", retryable }))
)

/** Events of a life that goes wrong for long: few of them end it at once. */
export const arbitraryTrouble: fc.Arbitrary<TaskEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<TaskEvent>({ _tag: "Claimed" }) },
  { weight: 3, arbitrary: fc.constantFrom<TaskEvent>({ _tag: "Failed", retryable: true }, { _tag: "Lost" }, { _tag: "HandedBack" }) },
  { weight: 1, arbitrary: arbitraryEvent }
)

export const arbitrarySituation: fc.Arbitrary<TaskSituation> = fc.record({
  state: fc.constantFrom<TaskState>("queued", "running", "completed", "failed", "cancelled", "expired"),
  attempt: fc.integer({ min: 0, max: 200 }),
  max_attempts: fc.integer({ min: 1, max: 200 }),
  rescues: fc.integer({ min: 0, max: 5 }),
  cancel_requested: fc.boolean(),
  retry: arbitraryRetry
})

/** The situation after a decision, as LeaseRepo writes it. */
export const after = (before: TaskSituation, decision: Decision): TaskSituation => {
  switch (decision._tag) {
    case "Refuse":
      return before
    case "Run":
      return { ...before, state: "running", attempt: decision.attempt }
    case "AwaitCancel":
      return { ...before, cancel_requested: true }
    case "Requeue":
      return { ...before, state: "queued", max_attempts: decision.max_attempts, rescues: decision.rescues }
    case "End":
      return { ...before, state: decision.state }
    case "Fail":
      return { ...before, state: "failed" }
  }
}

/** All decisions of a life, and how it stands at the end. */
export const live = (start: TaskSituation, events: ReadonlyArray<TaskEvent>, random = 0) => {
  const decisions: Array<Decision> = []
  let now = start
  for (const event of events) {
    const decision = decide(now, event, random)
    decisions.push(decision)
    now = after(now, decision)
  }
  return { decisions, now, last: decisions.at(-1) }
}

export const isEnd = (decision: Decision): boolean => decision._tag === "End" || decision._tag === "Fail"

export const millis = (delay: Duration.Duration): number => Duration.toMillis(delay)
