/**
 * The process and lease signals of liveness. A heartbeat says what the worker runs; it renews the leases of a contract
 * worker always, those of a protocol 2 worker only when it answers the newest pings, because a worker that does not
 * receive is of no use however loudly it beats.
 */
import type { Heartbeat, HeartbeatAnswer, HeldTask, SessionProof } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, DateTime, Duration, Effect, Layer, Option, Queue, Schedule } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { LeaseRepo } from "../queue/LeaseRepo.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { Liveness } from "./ClusterConfig.ts"
import { WorkerSessionRepo, type WorkerSessionRow } from "./WorkerSessionRepo.ts"
import { type LiveSession, MAX_UNREAD, WorkerSessions } from "./WorkerSessions.ts"

export class Heartbeats extends Context.Service<Heartbeats, {
  readonly receive: (session: WorkerSessionRow, beat: Omit<Heartbeat, keyof SessionProof>) => Effect.Effect<HeartbeatAnswer, SqlError>
  /**
   * A session's stream opens, and the worker says what is with it: whatever else it was given never arrived and goes back to
   * the queue. `running`: what it may go on with; `revoked`: what it is to stop.
   */
  readonly arrive: (session: WorkerSessionRow, held: ReadonlyArray<HeldTask>) => Effect.Effect<{
    readonly running: ReadonlyArray<HeldTask>
    readonly revoked: ReadonlyArray<HeldTask>
  }, SqlError>
  /** Pings one session's stream until interrupted. */
  readonly ping: (session: LiveSession) => Effect.Effect<void>
}>()("@englog/api/cluster/Heartbeats") {
  static readonly layer = Layer.effect(
    Heartbeats,
    Effect.gen(function*() {
      const repo = yield* WorkerSessionRepo
      const leases = yield* LeaseRepo
      const outcomes = yield* TaskOutcomes
      const sessions = yield* WorkerSessions
      const liveness = yield* Liveness

      /** Compares what the worker says it runs with what it holds; returns what it runs without holding it. */
      const reconcile = Effect.fnUntraced(function*(session: WorkerSessionRow, held: ReadonlyArray<HeldTask>) {
        const live = sessions.find(session.id)
        // Read first: whatever was delivered before the query is among its rows, what is claimed meanwhile need not be.
        const delivered = [...live?.delivered.keys() ?? []]
        const running = yield* leases.heldBy(session.id)
        for (const task of running) {
          const arrived = held.some((one) => one.task_id === task.task_id && one.attempt === task.attempt)
          if (arrived || live === undefined || task.seconds_held < Duration.toSeconds(liveness.deliveryLimit)) continue
          yield* outcomes.release(task, session.id, "HandedBack")
          yield* sessions.freeSlot(session.id, task.task_id, task.attempt)
        }
        // What the worker neither runs nor holds any more takes no slot, even where it dropped the task without a word.
        for (const task_id of delivered) {
          const known = held.some((one) => one.task_id === task_id) || running.some((task) => task.task_id === task_id)
          if (!known) yield* sessions.freeSlot(session.id, task_id, 0)
        }
        return yield* notTheirs(session, held, running)
      })

      /** Of what a worker says it holds, what it does not hold and could not even report any more. */
      const notTheirs = Effect.fnUntraced(function*(
        session: WorkerSessionRow,
        held: ReadonlyArray<HeldTask>,
        running: ReadonlyArray<HeldTask>
      ) {
        const strangers = held.filter((one) =>
          !running.some((task) => task.task_id === one.task_id && task.attempt === one.attempt))
        if (strangers.length === 0) return []
        const reportable = yield* leases.reportable(strangers, [session.id, ...session.lineage])
        return strangers.filter((one) => !reportable.includes(one.task_id))
      })

      const arrive: Heartbeats["Service"]["arrive"] = Effect.fn("Heartbeats.arrive")(function*(session, held) {
        const attempts = new Map(held.map((one) => [one.task_id, one.attempt]))
        const running = yield* leases.heldBy(session.id)
        const lost = running.filter((task) => attempts.get(task.task_id) !== task.attempt)
        for (const task of lost) yield* outcomes.release(task, session.id, "HandedBack")
        return { running: running.filter((task) => !lost.includes(task)), revoked: yield* notTheirs(session, held, running) }
      })

      const receive: Heartbeats["Service"]["receive"] = Effect.fn("Heartbeats.receive")(function*(session, beat) {
        const live = sessions.find(session.id)
        if (live !== undefined) {
          live.status = beat.status
          for (const sequence of live.unanswered.keys()) {
            if (sequence <= beat.acknowledged_ping) live.unanswered.delete(sequence)
          }
        }
        const receives = session.protocol === 1
          || (live !== undefined && beat.acknowledged_ping > 0n && !(yield* sessions.isDeaf(live)))
        yield* repo.beat(
          session.id,
          beat.status,
          Option.match(beat.stats, {
            onNone: () => null,
            onSome: (stats) => ({
              ...stats,
              cpu_usage: finite(stats.cpu_usage),
              memory_usage: finite(stats.memory_usage),
              started_at: Option.match(stats.started_at, { onNone: () => null, onSome: DateTime.formatIso })
            })
          }),
          receives ? Option.some(session.protocol === 2 ? liveness.lease : liveness.contractLease) : Option.none()
        )
        const revoked_tasks = session.protocol === 2 ? yield* reconcile(session, beat.held_tasks) : []
        return { connection_healthy: true, server_time: yield* DateTime.now, revoked_tasks }
      })

      const ping = (session: LiveSession) =>
        Effect.gen(function*() {
          if (session.unanswered.size >= MAX_UNREAD) return
          session.lastPing += 1n
          session.unanswered.set(session.lastPing, yield* Clock.currentTimeMillis)
          yield* Queue.offer(session.mailbox, { _tag: "Ping", sequence: session.lastPing })
        }).pipe(Effect.repeat(Schedule.spaced(liveness.pingInterval)), Effect.asVoid)

      return Heartbeats.of({ receive, arrive, ping })
    })
  )
}

/** A float on the wire may be no number at all, which JSON cannot say. */
const finite = (value: number): number => Number.isFinite(value) ? value : 0
