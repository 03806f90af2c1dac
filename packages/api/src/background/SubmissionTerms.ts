/** What a request says about how its task is queued, timed and retried, on top of its kind's policy. */
import { type OrganizationId, type UserId } from "@englog/domain/Ids"
import { publicName } from "@englog/domain/tasks/TaskKind"
import { Priority, priorityOf, type RetryPolicy, type TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { TaskRequest } from "@englog/rpc/http/TaskRequest"
import { DateTime, Result, type Schema } from "effect"
import type { Submission } from "../queue/TaskQueue.ts"
import type { KnownKind } from "./KnownKinds.ts"

export interface Terms {
  readonly request: TaskRequest
  readonly kind: KnownKind
  readonly payload: Schema.Json
  readonly organization_id: OrganizationId
  readonly user_id: UserId
  readonly now: DateTime.Utc
}

/** The submission, or what contradicts itself: `<field>: <reason>`. */
export const toSubmission = (terms: Terms): Result.Result<Submission, string> => {
  const { kind, now, organization_id, payload, request, user_id } = terms
  const delay = request.run_at === undefined ? millis(request.delay ?? 0) : Math.max(0, millisBetween(now, request.run_at))
  if (delay > MAX_DELAY) return Result.fail(`run_at: must be within ${MAX_DELAY / DAY} days`)
  const deadline = deadlineOf(request, now, delay) ?? kind.policy.deadline
  if (deadline <= 0) return Result.fail(`deadline: must be after ${request.run_at === undefined ? "now" : "run_at"}`)
  if (deadline > MAX_DEADLINE) return Result.fail(`deadline: must be within ${MAX_DEADLINE / DAY} days of when it may start`)
  const { max_retries, retry_policy } = request
  if (max_retries !== undefined && retry_policy?.max_retries !== undefined && max_retries !== retry_policy.max_retries) {
    return Result.fail("retry_policy.max_retries: must be the same as max_retries, or left out")
  }
  if (request.limit !== undefined && request.limit.max_running === undefined && request.limit.interval === undefined) {
    return Result.fail("limit: must say max_running, interval or both")
  }
  return Result.succeed({
    kind: kind.kind,
    prefix: prefixOf(kind.kind),
    organization_id,
    user_id,
    payload: JSON.stringify(payload),
    private_input: null,
    policy: policyOf(kind.policy, request, deadline),
    name: request.name ?? null,
    delay,
    unique_key: request.unique_key ?? null,
    limit: request.limit === undefined ? null : {
      key: request.limit.key,
      max_running: request.limit.max_running ?? null,
      interval: request.limit.interval === undefined ? null : millis(request.limit.interval)
    },
    after: request.after ?? [],
    parent: request.parent ?? null
  })
}

const policyOf = (policy: TaskPolicy, request: TaskRequest, deadline: number): TaskPolicy => ({
  queue: request.queue ?? policy.queue,
  priority: request.priority === undefined ? policy.priority : priority(request.priority),
  attempt_timeout: request.timeout === undefined ? policy.attempt_timeout : millis(request.timeout),
  deadline,
  retry: retryOf(policy.retry, request),
  ...(request.result_ttl === undefined
    ? policy.result_ttl === undefined ? {} : { result_ttl: policy.result_ttl }
    : { result_ttl: millis(request.result_ttl) })
})

const retryOf = (policy: RetryPolicy, { max_retries, retry_policy = {} }: TaskRequest): RetryPolicy => ({
  max_retries: max_retries ?? retry_policy.max_retries ?? policy.max_retries,
  base_delay: retry_policy.base_delay === undefined ? policy.base_delay : millis(retry_policy.base_delay),
  backoff_factor: retry_policy.backoff_factor ?? policy.backoff_factor,
  max_delay: retry_policy.max_delay === undefined ? policy.max_delay : millis(retry_policy.max_delay),
  ...(retry_policy.jitter === undefined ? policy.jitter === undefined ? {} : { jitter: policy.jitter } : { jitter: retry_policy.jitter })
})

/** Milliseconds from when it may start. */
const deadlineOf = ({ deadline }: TaskRequest, now: DateTime.Utc, delay: number): number | undefined =>
  deadline === undefined ? undefined : typeof deadline === "number" ? millis(deadline) : millisBetween(now, deadline) - delay

const priority = (wanted: NonNullable<TaskRequest["priority"]>): Priority => typeof wanted === "string" ? priorityOf(wanted) : Priority.make(wanted)

/** First part of the task's id: lower case, beginning with a letter. */
export const prefixOf = (kind: string): string => {
  const readable = publicName(kind).replace(/[^a-z0-9]+/g, "-").replace(/^[^a-z]+/, "").slice(0, 31).replace(/-$/, "")
  return readable === "" ? "task" : readable
}

const DAY = 86_400_000
const MAX_DELAY = 366 * DAY
const MAX_DEADLINE = 30 * DAY

const millis = (seconds: number): number => Math.round(seconds * 1_000)

const millisBetween = (from: DateTime.Utc, to: DateTime.Utc): number => DateTime.toEpochMillis(to) - DateTime.toEpochMillis(from)
