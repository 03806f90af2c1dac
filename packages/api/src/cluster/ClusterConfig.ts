/**
 * What the worker cluster may be told by configuration, and the constants of its liveness rules (architecture.md, Liveness).
 */
import { Context, Duration, type Option, type Redacted } from "effect"

export class ClusterConfig extends Context.Service<ClusterConfig, {
  /** Told to workers at registration; seed 001: 30 s. */
  readonly heartbeatInterval: Duration.Duration
  /** A session without a heartbeat for this long is over; seed 001: 2 min. */
  readonly workerTimeout: Duration.Duration
  /** Live sessions at once; seed 001: 10. */
  readonly maxWorkers: number
  readonly enrollmentToken: Option.Option<Redacted.Redacted<string>>
}>()("@englog/api/cluster/ClusterConfig") {}

/** How long a heartbeat keeps the leases of a session that knows only the contract. */
export const CONTRACT_LEASE = Duration.seconds(90)

/** How long an answered ping keeps the leases of a protocol 2 session. */
export const LEASE = Duration.seconds(15)

/** Three pings fit a lease, so that losing one or two costs nothing. */
export const PING_INTERVAL = Duration.seconds(5)

/** A worker that has not answered a ping for this long does not receive: it is unhealthy and gets nothing. */
export const DEAF_AFTER = Duration.seconds(10)

/** After its stream broke, a session may come back with its token for this long and keeps its tasks. */
export const RESUME_GRACE = Duration.seconds(5)

/** A replica that has not been seen for this long is taken for dead; it marks itself once per `SWEEP_INTERVAL`. */
export const REPLICA_TIMEOUT = Duration.seconds(5)
export const SWEEP_INTERVAL = Duration.seconds(1)

/** What a running task may take beyond its deadline to report how it ended. */
export const DEADLINE_SLACK = Duration.seconds(2)

/** How long a worker may take to confirm a cancellation before it is recorded without it. */
export const CANCEL_WAIT = Duration.seconds(5)

/** A delivered task that a protocol 2 worker does not name among those it holds, for this long, never arrived. */
export const DELIVERY_LIMIT = Duration.seconds(10)
