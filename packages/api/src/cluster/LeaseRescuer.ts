/**
 * Takes tasks back from workers that are gone, and ends what is overdue. Every replica runs it: each step is decided under
 * the task's or the session's row lock, so that several at once do no harm.
 */
import type { SessionId } from "@englog/domain/Ids"
import { Context, Effect, FiberSet, Layer, Option, Queue, Schedule } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { waitedOut, warnUnlessOutage } from "../db/Outage.ts"
import { LeaseRepo } from "../queue/LeaseRepo.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { ClusterConfig, Liveness } from "./ClusterConfig.ts"
import { type EndedSession, WorkerSessionRepo } from "./WorkerSessionRepo.ts"
import { WorkerSessions } from "./WorkerSessions.ts"

/** This process among the API servers of one database. */
export class Replica extends Context.Service<Replica, { readonly id: string }>()("@englog/api/cluster/Replica") {
  /** Known to the others from the start, and forgotten by them at a planned stop. */
  static readonly layer = Layer.effect(
    Replica,
    Effect.gen(function*() {
      const sessions = yield* WorkerSessionRepo
      const { lease, replicaTimeout } = yield* Liveness
      const id = randomUUID()
      yield* waitedOut(sessions.tick(id, [], replicaTimeout, lease))
      yield* Effect.addFinalizer(() =>
        sessions.forgetReplica(id).pipe(
          Effect.timeout("2 seconds"),
          Effect.catchCause((cause) => Effect.logWarning("could not sign off; the others notice in a few seconds", cause))
        )
      )
      return Replica.of({ id })
    })
  )
}

/** Runs as long as the layer lives. */
export const LeaseRescuerLive = Layer.effectDiscard(Effect.gen(function*() {
  const config = yield* ClusterConfig
  const liveness = yield* Liveness
  const replica = yield* Replica
  const repo = yield* WorkerSessionRepo
  const leases = yield* LeaseRepo
  const outcomes = yield* TaskOutcomes
  const sessions = yield* WorkerSessions

  const giveUp = Effect.fnUntraced(function*(session: EndedSession) {
    yield* sessions.close(session.id)
    yield* Effect.logWarning("gave up a worker").pipe(Effect.annotateLogs({
      component: "cluster",
      operation: "end_session",
      worker_id: session.worker_id,
      reason: session.end_reason
    }))
  })

  const endSessions = repo.endStale(liveness.resumeGrace, config.workerTimeout).pipe(
    Effect.flatMap(Effect.forEach(giveUp, { discard: true }))
  )

  const takeAll = (session_id: SessionId) =>
    repo.ifWithoutLease(session_id, leases.heldBy(session_id).pipe(
      Effect.flatMap(Effect.forEach((task) => outcomes.release(task, session_id, "Lost"), { discard: true }))
    ))

  const rescue = Effect.gen(function*() {
    const holders = yield* leases.holders
    if (holders.length === 0) return
    for (const session_id of yield* repo.withoutLease(holders)) yield* takeAll(session_id)
  })

  /** What of this fails is left to the next sweep. */
  const awaitReturn = Effect.fnUntraced(function*(session_id: SessionId) {
    yield* Effect.sleep(liveness.closedGrace)
    const ended = yield* repo.endClosed(session_id, liveness.closedGrace)
    if (Option.isNone(ended)) return
    yield* giveUp(ended.value)
    yield* takeAll(session_id)
  })

  const endOverdue = leases.overdue(liveness.deadlineSlack, liveness.cancelWait).pipe(
    Effect.flatMap(Effect.forEach((task) => outcomes.overdue(task.task_id, task.why), { discard: true }))
  )

  const tick = Effect.gen(function*() {
    const open = (yield* sessions.all).map((session) => session.row.id)
    yield* repo.tick(replica.id, open, liveness.replicaTimeout, liveness.lease)
    // A stream that broke meanwhile may have been detached just before the tick took it for open.
    for (const id of open) if (sessions.find(id) === undefined) yield* repo.detach(id, replica.id)
  })

  const looked = (what: Effect.Effect<void, SqlError>) =>
    what.pipe(
      Effect.withTracerEnabled(false),
      Effect.catchCause((cause) =>
        warnUnlessOutage("could not look after leases; trying again", cause).pipe(
          Effect.annotateLogs({ component: "cluster", operation: "rescue" })
        )
      )
    )

  const waits = yield* FiberSet.make()
  yield* Queue.take(sessions.closed).pipe(
    Effect.flatMap((session_id) => FiberSet.run(waits, looked(awaitReturn(session_id)))),
    Effect.forever,
    Effect.forkScoped
  )
  yield* tick.pipe(
    Effect.andThen(endSessions),
    Effect.andThen(rescue),
    Effect.andThen(endOverdue),
    looked,
    Effect.repeat(Schedule.spaced(liveness.sweepInterval)),
    Effect.forkScoped
  )
}))
