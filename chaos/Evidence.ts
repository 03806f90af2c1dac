/** Everything that a run leaves behind, and on which alone it is judged. Times are milliseconds by the database's clock. */
import { Schema } from "effect"
import type { HandlerLine } from "./HandlerLog.ts"
import type { LeaseChange, OutcomeChange } from "./LeaseAudit.ts"

/** Written by a client after it was answered that its task is accepted. */
export const Acknowledged = Schema.Struct({
  task: Schema.String,
  /** Tasks that have to complete before this one may start. */
  after: Schema.Array(Schema.String),
  /** By which it was asked for, perhaps more than once; null where it had none. */
  unique_key: Schema.NullOr(Schema.String)
})
export type Acknowledged = typeof Acknowledged.Type

/** Written by a client after it was answered that its task is, or is going to be, cancelled. */
export const CancelAnswer = Schema.Struct({ task: Schema.String, state: Schema.String })
export type CancelAnswer = typeof CancelAnswer.Type

/** Written by a client that was told of a fault of the server, instead of an answer or of an outage that passes. */
export const Blunder = Schema.Struct({ asked: Schema.String, answer: Schema.String })
export type Blunder = typeof Blunder.Type

/** Written by a subscriber for each step that it was told, and once when it was told that nothing follows. */
export const Received = Schema.Struct({
  subscriber: Schema.String,
  task: Schema.String,
  seq: Schema.Int,
  type: Schema.String
})
export type Received = typeof Received.Type

/** A task as its tables hold it when all is over. */
export const StoredTask = Schema.Struct({
  task: Schema.String,
  kind: Schema.String,
  outcome: Schema.NullOr(Schema.String),
  attempt: Schema.NullOr(Schema.Int),
  max_retries: Schema.Int,
  deadline: Schema.Finite,
  completed_at: Schema.NullOr(Schema.Finite),
  unique_key: Schema.NullOr(Schema.String),
  /** It has a row in the queue. */
  open: Schema.Boolean,
  /** The attempt that made the result, by the result's own word. */
  made_by: Schema.NullOr(Schema.Int),
  /** Rows that the kind's outcome effect has written. */
  effects: Schema.Int
})
export type StoredTask = typeof StoredTask.Type

/** A step as the API tells it afterwards. */
export interface Step {
  readonly seq: number
  readonly type: string
  readonly attempt: number
}

export interface Evidence {
  readonly acknowledged: ReadonlyArray<Acknowledged>
  readonly cancels: ReadonlyArray<CancelAnswer>
  readonly blunders: ReadonlyArray<Blunder>
  readonly received: ReadonlyArray<Received>
  /** Who was to follow which task. */
  readonly subscriptions: ReadonlyArray<{ readonly subscriber: string; readonly task: string }>
  readonly handlers: ReadonlyArray<HandlerLine>
  readonly tasks: ReadonlyArray<StoredTask>
  readonly histories: ReadonlyMap<string, ReadonlyArray<Step>>
  readonly leases: ReadonlyArray<LeaseChange>
  readonly outcomes: ReadonlyArray<OutcomeChange>
  /** When the last fault was over and everything ran again. */
  readonly healedAt: number
  /** To be added to a monotonic time of this machine. */
  readonly clockOffset: number
  /** Processes that ended by themselves, each in a sentence. */
  readonly accidents: ReadonlyArray<string>
}
