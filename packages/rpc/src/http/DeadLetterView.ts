/** Dead letters as clients see them: tasks that failed for good, or expired before anybody could start them. */
import { OrganizationId, TaskId } from "@englog/domain/Ids"
import { DeadLetter } from "@englog/domain/tasks/DeadLetter"
import { RetryPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Schema } from "effect"
import { Page, pageQuery } from "./Page.ts"
import { QueueName, TaskTypeName } from "./TaskRequest.ts"

const fields = {
  ...DeadLetter.fields,
  task_type: Schema.String,
  created_at: Schema.DateTimeUtcFromString,
  failed_at: Schema.DateTimeUtcFromString
}

export class DeadLetterView extends Schema.Class<DeadLetterView>("DeadLetterView")(fields) {}

/** With what it was asked to do. Delays of the retry policy in seconds. */
export class DeadLetterDetail extends Schema.Class<DeadLetterDetail>("DeadLetterDetail")({
  ...fields,
  payload: Schema.Json,
  /** Seconds for one attempt. */
  timeout: Schema.Finite,
  retry_policy: Schema.Struct({ ...RetryPolicy.fields, base_delay: Schema.Finite, max_delay: Schema.Finite })
}) {}

export const DeadLetterPage = Page(DeadLetterView).annotate({ identifier: "DeadLetterPage" })

const filter = {
  task_type: Schema.optionalKey(TaskTypeName),
  queue: Schema.optionalKey(QueueName),
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." }))
}

export const DeadLetterQuery = Schema.Struct({ ...filter, ...pageQuery })
export type DeadLetterQuery = typeof DeadLetterQuery.Type

/** Dead letters that one request replays. */
export const MAX_REPLAYS = 500

export const ReplayRequest = Schema.Struct(filter).annotate({ identifier: "ReplayRequest" })
export type ReplayRequest = typeof ReplayRequest.Type

export const Replayed = Schema.Struct({
  items: Schema.Array(Schema.Struct({ dead_letter: TaskId, task_id: TaskId })),
  /** Whether there are further ones: ask again. */
  more: Schema.Boolean,
  message: Schema.String
}).annotate({ identifier: "DeadLettersReplayed" })

/** What an open task has to be like to be cancelled with others; every field that is given must fit. */
export const CancelFilter = Schema.Struct({
  ...filter,
  state: Schema.optionalKey(Schema.Literals(["pending", "running"])),
  name: Schema.optionalKey(Schema.String.check(Schema.isBetweenLength(1, 400, { expected: "1 to 400 characters" })))
}).check(
  Schema.makeFilter(({ name, queue, state, task_type }: { readonly [name: string]: unknown }) =>
    [name, queue, state, task_type].every((given) => given === undefined)
      ? "must name at least one of task_type, queue, state and name"
      : undefined, { toJsonSchema: () => [{ minProperties: 1 }, true] })
).annotate({ identifier: "CancelFilter" })
export type CancelFilter = typeof CancelFilter.Type

/** Tasks that one request cancels. */
export const MAX_CANCELS = 10_000

export const CancelledCounts = Schema.Struct({
  /** Ended at once. */
  cancelled: Schema.Int,
  /** Running: they end as soon as their workers have stopped. */
  requested: Schema.Int,
  /** Ended otherwise in the meantime. */
  already_ended: Schema.Int,
  /** Whether there are further ones: ask again. */
  more: Schema.Boolean
}).annotate({ identifier: "CancelledCounts" })
