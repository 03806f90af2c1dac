/**
 * The sessions whose task streams end in this process: their mailboxes, and what was delivered to them and not yet
 * reported. A session's free slots are counted here, by deliveries: a worker that lost a task may still be running it.
 */
import type { SessionId, TaskId } from "@englog/domain/Ids"
import type { ToWorker } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, Data, Duration, Effect, Layer, Queue, type Scope } from "effect"
import { Liveness } from "./ClusterConfig.ts"
import type { WorkerSessionRow } from "./WorkerSessionRepo.ts"

/** Why a task stream ends: the session opened another one, or is over. */
export class StreamEnded extends Data.TaggedError("StreamEnded")<{ readonly reason: "replaced" | "over" }> {}

export interface LiveSession {
  readonly row: WorkerSessionRow
  readonly mailbox: Queue.Queue<ToWorker, StreamEnded>
  /** Attempts by task that this worker may be running. */
  readonly delivered: Map<TaskId, number>
  /** Sent pings by sequence, with the time they were sent, oldest first; those that were answered are gone. */
  readonly unanswered: Map<bigint, number>
  lastPing: bigint
  /** It has free slots that were not filled because it did not read what it has been sent. */
  heldBack: boolean
  /** As the worker said last. */
  status: WorkerSessionRow["status"]
}

export class WorkerSessions extends Context.Service<WorkerSessions, {
  /** Opens a session's mailbox for as long as the scope lives. A mailbox it had before is ended first. */
  readonly open: (
    row: WorkerSessionRow,
    running: ReadonlyArray<{ readonly task_id: TaskId; readonly attempt: number }>
  ) => Effect.Effect<LiveSession, never, Scope.Scope>
  readonly find: (id: SessionId) => LiveSession | undefined
  readonly all: Effect.Effect<ReadonlyArray<LiveSession>>
  /** Takes wait until a session opens, or has a free slot that it had not before. */
  readonly capacity: Queue.Dequeue<void>
  /** Notes that a session no longer runs an attempt; 0 stands for whichever it runs. */
  readonly freeSlot: (id: SessionId, task_id: TaskId, attempt: number) => Effect.Effect<void>
  /** The session's stream has taken what lay in its mailbox. */
  readonly emptied: (session: LiveSession) => Effect.Effect<void>
  readonly isDeaf: (session: LiveSession) => Effect.Effect<boolean>
  /** The session is over: ends its stream. */
  readonly close: (id: SessionId) => Effect.Effect<void>
}>()("@englog/api/cluster/WorkerSessions") {
  static readonly layer = Layer.effect(
    WorkerSessions,
    Effect.gen(function*() {
      const { deafAfter } = yield* Liveness
      const sessions = new Map<SessionId, LiveSession>()
      const capacity = yield* Queue.sliding<void>(1)
      const signal = Effect.sync(() => void Queue.offerUnsafe(capacity, undefined))

      const remove = (id: SessionId, reason: "replaced" | "over") =>
        Effect.suspend(() => {
          const session = sessions.get(id)
          if (session === undefined) return Effect.void
          sessions.delete(id)
          return Queue.fail(session.mailbox, new StreamEnded({ reason })).pipe(Effect.asVoid)
        })

      return WorkerSessions.of({
        open: (row, running) =>
          Effect.acquireRelease(
            Effect.gen(function*() {
              yield* remove(row.id, "replaced")
              const session: LiveSession = {
                row,
                mailbox: yield* Queue.unbounded<ToWorker, StreamEnded>(),
                delivered: new Map(running.map((task) => [task.task_id, task.attempt])),
                unanswered: new Map(),
                // Above every sequence of an earlier stream, so that acknowledging those counts for nothing here.
                lastPing: BigInt(yield* Clock.currentTimeMillis),
                heldBack: false,
                status: row.status
              }
              sessions.set(row.id, session)
              yield* signal
              return session
            }),
            (session) => sessions.get(row.id) === session ? remove(row.id, "over") : Effect.void
          ),
        find: (id) => sessions.get(id),
        all: Effect.sync(() => [...sessions.values()]),
        capacity,
        freeSlot: (id, task_id, attempt) =>
          Effect.suspend(() => {
            const delivered = sessions.get(id)?.delivered
            const runs = delivered?.get(task_id)
            if (delivered === undefined || runs === undefined || (attempt !== 0 && attempt !== runs)) return Effect.void
            delivered.delete(task_id)
            return signal
          }),
        emptied: (session) =>
          Effect.suspend(() => {
            if (!session.heldBack || Queue.sizeUnsafe(session.mailbox) > 0) return Effect.void
            session.heldBack = false
            return signal
          }),
        isDeaf: (session) =>
          Clock.currentTimeMillis.pipe(Effect.map((now) => {
            const [oldest] = session.unanswered.values()
            return oldest !== undefined && now - oldest > Duration.toMillis(deafAfter)
          })),
        close: (id) => remove(id, "over")
      })
    })
  )
}

/** Slots in which no task runs. */
export const openSlots = (session: LiveSession): number =>
  session.status === "draining" ? 0 : Math.max(0, session.row.max_concurrent_tasks - session.delivered.size)

/** Open slots in which the dispatcher may put work now. */
export const freeSlots = (session: LiveSession): number =>
  Math.min(openSlots(session), Math.max(0, MAX_UNREAD - Queue.sizeUnsafe(session.mailbox)))

/** Messages that wait for one worker to read them: whoever does not read gets no more, and costs no more memory. */
export const MAX_UNREAD = 64
