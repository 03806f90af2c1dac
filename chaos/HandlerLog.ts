/** What handlers say of themselves, one file per worker process. */
import { Schema } from "effect"

export const HandlerLine = Schema.Struct({
  worker: Schema.String,
  pid: Schema.Int,
  task: Schema.String,
  attempt: Schema.Int,
  what: Schema.Literals(["start", "finish", "fail", "interrupt"]),
  /** Milliseconds of the machine's monotonic clock, which all its processes share and which no fault touches. */
  mono: Schema.Finite
})
export type HandlerLine = typeof HandlerLine.Type

export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6
