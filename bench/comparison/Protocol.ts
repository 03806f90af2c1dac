/** What the process that compares asks of the processes that are compared, over the channel that Node gives a child. */
import { Schema } from "effect"

const Numbers = Schema.Array(Schema.Finite)

/** Every question with its answer. */
export const Questions = {
  enqueueFor: { payload: { callers: Schema.Int, ms: Schema.Finite }, answer: Schema.Struct({ count: Schema.Int, ms: Schema.Finite }) },
  enqueueBulkFor: { payload: { size: Schema.Int, ms: Schema.Finite }, answer: Schema.Struct({ count: Schema.Int, ms: Schema.Finite }) },
  preload: { payload: { count: Schema.Int, ms: Schema.Finite }, answer: Schema.Null },
  pace: { payload: { count: Schema.Int, perSecond: Schema.Finite }, answer: Schema.Struct({ called: Numbers, acknowledged: Numbers }) },
  open: { payload: {}, answer: Schema.Boolean },
  clear: { payload: {}, answer: Schema.Null },
  idleListeners: { payload: { count: Schema.Int }, answer: Schema.Null },
  address: { payload: {}, answer: Schema.Struct({ http: Schema.String, grpc: Schema.String }) },
  work: { payload: { concurrency: Schema.Int }, answer: Schema.Null },
  rest: { payload: {}, answer: Schema.Null },
  /** Waits until so many different jobs have been handled since `work`, or until the time is up. */
  handled: {
    payload: { count: Schema.Int, ms: Schema.Finite },
    answer: Schema.Struct({ count: Schema.Int, first: Schema.Finite, last: Schema.Finite, starts: Numbers })
  },
  /** Waits until so many jobs have been started since `work`. */
  started: { payload: { count: Schema.Int }, answer: Schema.Null },
  /** From now on; and until now, into this file. */
  profile: { payload: {}, answer: Schema.Null },
  profiled: { payload: { file: Schema.String }, answer: Schema.Null }
} as const

export type Name = keyof typeof Questions
export type Payload<N extends Name> = Schema.Struct<(typeof Questions)[N]["payload"]>["Type"]
export type Answer<N extends Name> = (typeof Questions)[N]["answer"]["Type"]

/** From parent to child. */
export const Question = Schema.Struct({ id: Schema.Int, name: Schema.String, payload: Schema.Unknown })
/** From child to parent. `id` 0: the process is ready, or could not become it. */
export const Reply = Schema.Struct({ id: Schema.Int, answer: Schema.Unknown, problem: Schema.NullOr(Schema.String) })
