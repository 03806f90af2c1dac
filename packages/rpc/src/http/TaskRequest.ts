/**
 * What a client may say of a task it submits (seed 002), by REST and RPC alike. Durations are seconds, as in the seed's retry
 * policy; whatever is left out follows from the kind's own policy.
 */
import { OrganizationId, TaskId } from "@englog/domain/Ids"
import { PriorityName } from "@englog/domain/tasks/TaskPolicy"
import { Schema } from "effect"
import { TrimmedText } from "./PlainText.ts"
import { StorableJson } from "./StorableJson.ts"
import { Instant } from "./Times.ts"

const MINUTE = 60
const DAY = 86_400

/** Tasks of one bulk submission. */
export const MAX_BULK = 1_000
/** Of one task's payload as JSON. */
export const MAX_PAYLOAD_BYTES = 262_144
/** Tasks that one task may wait for. */
export const MAX_AFTER = 100

const seconds = (minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.isBetween({ minimum, maximum }, { expected: `a number of seconds from ${minimum} to ${maximum}` }))

const isName = (what: string) => Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/u, { expected: `${what} of letters, digits and _ . : -` })

/** Of a queue: workers choose by it what they take. */
export const QueueName = Schema.String.check(Schema.isBetweenLength(1, 100, { expected: "1 to 100 characters" }), isName("a name"))

/** Of a kind: `document_processing`, or as a worker announces it. */
export const TaskTypeName = Schema.String.check(Schema.isBetweenLength(1, 200, { expected: "1 to 200 characters" })).annotate({
  description: "A kind of this server in lower case, or one that a worker brings, as it announces it. A kind that nobody knows answers 404 with the list of those that are known.",
  examples: ["data_analysis"]
})

const Key = TrimmedText({ min: 1, max: 200 })

const RetryCount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }, { expected: "a whole number from 0 to 100" }))

/** The n-th retry waits `base_delay · backoff_factor^(n-1)` seconds, at most `max_delay`, less a random share of up to `jitter`. */
export const RetryPolicyRequest = Schema.Struct({
  max_retries: Schema.optionalKey(RetryCount),
  base_delay: Schema.optionalKey(seconds(0, DAY)),
  backoff_factor: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 100 }, { expected: "a number from 1 to 100" }))),
  max_delay: Schema.optionalKey(seconds(0, DAY)),
  jitter: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }, { expected: "a number from 0 to 1" })))
}).annotate({ identifier: "RetryPolicyRequest" })

const Limit = Schema.Struct({
  key: Key,
  max_running: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }, { expected: "a whole number from 1 to 10000" }))),
  interval: Schema.optionalKey(seconds(0.001, DAY))
}).annotate({
  identifier: "TaskLimit",
  description: "Of the organization's tasks that name the same key, so many run at once, and so many seconds lie between two starts."
})

const PriorityNumber = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 }, { expected: "a whole number from 1 to 10" }))

export const TaskPriority = Schema.Union([PriorityName, PriorityNumber]).annotate({
  description: "critical (10), high (8), normal (5) or low (2), or a number from 1 to 10; 10 goes first."
})

export const TaskRequest = Schema.Struct({
  name: Schema.optionalKey(TrimmedText({ min: 1, max: 200 }).annotate({ description: "For people; kept encrypted." })),
  task_type: TaskTypeName,
  priority: Schema.optionalKey(TaskPriority),
  payload: Schema.optionalKey(StorableJson.annotate({
    description: `What the kind asks for: any JSON that its schema allows, by default an empty object, at most ${MAX_PAYLOAD_BYTES} bytes. Ids rather than text: it is kept as it is.`
  })),
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." })),
  queue: Schema.optionalKey(QueueName),
  unique_key: Schema.optionalKey(Key.annotate({
    description: "Of all tasks of one kind and organization with the same key only the first is accepted; the others answer its id."
  })),
  delay: Schema.optionalKey(seconds(0, 366 * DAY).annotate({ description: "Seconds before it may start. Not together with run_at." })),
  run_at: Schema.optionalKey(Instant.annotate({ description: "When it may start." })),
  deadline: Schema.optionalKey(Schema.Union([seconds(1, 30 * DAY), Instant]).annotate({
    description: "Until when it must have ended: a time, or seconds from when it may start."
  })),
  timeout: Schema.optionalKey(seconds(1, 7 * DAY).annotate({ description: `Seconds for one attempt, by default ${5 * MINUTE}.` })),
  max_retries: Schema.optionalKey(RetryCount),
  retry_policy: Schema.optionalKey(RetryPolicyRequest),
  result_ttl: Schema.optionalKey(seconds(0, 366 * DAY).annotate({ description: "Seconds for which its record is kept after its end." })),
  limit: Schema.optionalKey(Limit),
  after: Schema.optionalKey(Schema.Array(TaskId).check(Schema.isMaxLength(MAX_AFTER, { expected: `at most ${MAX_AFTER} task ids` })).annotate({
    description: "It starts after these have completed; if one of them ends otherwise, it is cancelled."
  })),
  parent: Schema.optionalKey(TaskId.annotate({ description: "The task that it is a part of." }))
}).check(
  Schema.makeFilter((request: { readonly delay?: unknown; readonly run_at?: unknown }) =>
    request.delay !== undefined && request.run_at !== undefined
      ? { path: ["delay"], issue: "must not be given together with run_at" }
      : undefined, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "TaskRequest" })
export type TaskRequest = typeof TaskRequest.Type

export const BulkTaskRequest = Schema.Struct({
  tasks: Schema.Array(TaskRequest).check(
    Schema.makeFilter<ReadonlyArray<unknown>>((tasks) =>
      tasks.length === 0 ? "must name at least one task" : tasks.length > MAX_BULK ? `must name at most ${MAX_BULK} tasks` : undefined, {
      expected: `1 to ${MAX_BULK} tasks`,
      toJsonSchema: () => [{ minItems: 1, maxItems: MAX_BULK }, true]
    })
  )
}).annotate({ identifier: "BulkTaskRequest" })
export type BulkTaskRequest = typeof BulkTaskRequest.Type

export const BulkAccepted = Schema.Struct({
  /** In the order of the request. */
  items: Schema.Array(Schema.Struct({ task_id: TaskId, created: Schema.Boolean })),
  message: Schema.String
}).annotate({ identifier: "BulkTasksAccepted" })
