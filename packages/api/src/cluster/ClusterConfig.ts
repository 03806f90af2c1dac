/**
 * What the worker cluster may be told by configuration, and the times of its liveness rules.
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

/** The times of the liveness rules (architecture.md, Liveness). Not configuration: only tests set other ones. */
export const Liveness = Context.Reference<{
  /** How long a heartbeat keeps the leases of a session that knows only the contract. */
  readonly contractLease: Duration.Duration
  /** How long an answered ping keeps the leases of a protocol 2 session. */
  readonly lease: Duration.Duration
  /** Three pings fit a lease, so that losing one or two costs nothing. */
  readonly pingInterval: Duration.Duration
  /** A worker that has not answered a ping for this long does not receive: it is unhealthy and gets nothing. */
  readonly deafAfter: Duration.Duration
  /** After its stream broke, a session may come back with its token for this long and keeps its tasks. */
  readonly resumeGrace: Duration.Duration
  /**
   * The same where a worker that knows protocol 2 closed its stream and this replica, which it could have come back to, lives on:
   * such a worker dials again after a second at most 1.2 (seed 001), or its process is gone (docs/decisions/0025).
   */
  readonly closedGrace: Duration.Duration
  /** A replica that has not been seen for this long is taken for dead; it marks itself once per `sweepInterval`. */
  readonly replicaTimeout: Duration.Duration
  readonly sweepInterval: Duration.Duration
  /** What a running task may take beyond its deadline to report how it ended. */
  readonly deadlineSlack: Duration.Duration
  /** How long a worker may take to confirm a cancellation before it is recorded without it. */
  readonly cancelWait: Duration.Duration
  /** A delivered task that a protocol 2 worker does not name among those it holds, for this long, never arrived. */
  readonly deliveryLimit: Duration.Duration
}>("@englog/api/cluster/Liveness", {
  defaultValue: () => ({
    contractLease: Duration.seconds(90),
    lease: Duration.seconds(15),
    pingInterval: Duration.seconds(5),
    deafAfter: Duration.seconds(10),
    resumeGrace: Duration.seconds(5),
    closedGrace: Duration.seconds(2),
    replicaTimeout: Duration.seconds(5),
    sweepInterval: Duration.seconds(1),
    deadlineSlack: Duration.seconds(2),
    cancelWait: Duration.seconds(5),
    deliveryLimit: Duration.seconds(10)
  })
})
