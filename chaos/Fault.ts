/** What goes wrong in a run. Times are milliseconds from the start of the load. */

/** To one worker, or between it and the API servers. */
export const workerFaults = [
  "kill_worker",
  /** It has reported, but does not hear the answer. */
  "kill_worker_before_reply",
  "stop_worker",
  /** Longer than its lease; then it goes on as if nothing had happened. */
  "freeze_worker",
  "partition_worker",
  "partition_worker_one_way",
  "half_open_worker",
  "worker_clock",
  "duplicate_reports"
] as const

/** To an API server, the database, or what lies between them. */
export const serverFaults = [
  "kill_api",
  /** What it wrote is committed, but it does not hear so, and nobody hears from it. */
  "kill_api_after_commit",
  "stop_api",
  "freeze_api",
  "terminate_connections",
  "restart_postgres",
  "partition_database",
  "partition_database_one_way",
  "half_open_database",
  "redis_loss"
] as const

export type FaultKind = typeof workerFaults[number] | typeof serverFaults[number]

export interface Fault {
  readonly at: number
  readonly kind: FaultKind
  /** Number of the worker or of the API server, from 0. */
  readonly target: number
  readonly lasts: number
  /** In 0 … 1: the direction of a one-way partition, the side of a half-open connection, how far a clock is off. */
  readonly twist: number
}
