/**
 * What a process of a compared system can do: hand jobs in, and run them. Each system implements it the way its own
 * documentation shows; nothing here knows how.
 *
 * Times are milliseconds of the machine's monotonic clock, which all processes share.
 */

/** `n`: the job's number within a measurement. `ms`: how long its handler waits; 0 for a handler that does nothing. */
export interface Job {
  readonly n: number
  readonly ms: number
}

/** Answers at once for a job without a wait, so that no promise is paid for that the handler has no use for. */
export type Handler = (job: Job) => Promise<void> | undefined

export interface Accepted {
  readonly count: number
  readonly ms: number
}

/** When the submission was called and when it was acknowledged, by the number of the job. */
export interface Paced {
  readonly called: ReadonlyArray<number>
  readonly acknowledged: ReadonlyArray<number>
}

/** The side that hands in. */
export interface Submitter {
  /** `callers` at a time hand in one job each, again and again, for `ms`. */
  readonly enqueueFor: (callers: number, ms: number) => Promise<Accepted>
  /** One caller hands in `size` jobs at a time. */
  readonly enqueueBulkFor: (size: number, ms: number) => Promise<Accepted>
  /** Jobs 0 to `count` - 1. */
  readonly preload: (count: number, ms: number) => Promise<void>
  /** One job every 1/`perSecond`, whether or not the one before was acknowledged. */
  readonly pace: (count: number, perSecond: number) => Promise<Paced>
  /** Whether a job is not yet durably finished. */
  readonly open: () => Promise<boolean>
  readonly clear: () => Promise<void>
  /** Listeners that nothing happens for, beside the work. */
  readonly idleListeners: (count: number) => Promise<void>
  /** Where others reach it, if it is a server. */
  readonly address: () => { readonly http: string; readonly grpc: string }
}

/** The side that runs jobs. */
export interface Worker {
  /** Answers when it is ready to take jobs; what it answers stops it in good order. */
  readonly work: (concurrency: number, run: Handler) => Promise<() => Promise<void>>
}

export interface Engine {
  readonly name: string
  /** The schema must exist already where `role` is worker. */
  readonly submitter: (settings: Settings) => Promise<Submitter>
  readonly worker: (settings: Settings) => Promise<Worker>
}

/** `url`: of the system's own database. */
export interface Settings {
  readonly url: string
  readonly variant: string
}

export const now = (): number => Number(process.hrtime.bigint()) / 1e6

export const noAddress = () => ({ http: "", grpc: "" })
