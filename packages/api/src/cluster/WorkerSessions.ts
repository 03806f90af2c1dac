/**
 * The sessions whose task streams end in this process: their mailboxes, and what was delivered to them and not yet
 * reported. A session's free slots are counted here, by deliveries: a worker that lost a task may still be running it.
 */
import type { SessionId, TaskId } from "@englog/domain/Ids"
import type { RefusedOutcome, RefusedStep } from "@englog/rpc/grpc/SessionMessages"
import type { HeldTask, ToWorker } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, Data, Duration, Effect, Layer, Queue, type Scope } from "effect"
import { Liveness } from "./ClusterConfig.ts"
import type { WorkerSessionRow } from "./WorkerSessionRepo.ts"

/** Why a task stream ends: the session opened another one, or is over. */
export class StreamEnded extends Data.TaggedError("StreamEnded")<{ readonly reason: "replaced" | "over" }> {}

/** What waits for a stream. Answers and revocations are for session streams only: task streams have no words for them. */
export type Outgoing =
  | ToWorker
  | {
    readonly _tag: "Answers"
    readonly accepted: ReadonlyArray<number>
    readonly refused: ReadonlyArray<RefusedOutcome>
    readonly refused_steps: ReadonlyArray<RefusedStep>
  }
  | { readonly _tag: "Revoked"; readonly held: ReadonlyArray<HeldTask> }

export interface LiveSession {
  readonly row: WorkerSessionRow
  readonly mailbox: Queue.Queue<Outgoing, StreamEnded>
  /** Attempts by task that this worker may be running. */
  readonly delivered: Map<TaskId, number>
  /** Sent pings by sequence, with the time they were sent, oldest first; those that were answered are gone. */
  readonly unanswered: Map<bigint, number>
  lastPing: bigint
  /** Messages with tasks that were sent and whose receipt was not acknowledged, with the time they were sent, oldest first. */
  readonly unreceived: Map<number, number>
  /** Such messages sent so far. */
  deliveries: number
  /** Tasks that may be with the worker at once: as many as it can run, and those it wants to have in advance. */
  window: number
  /** Slots that a claim under way may fill. */
  claiming: number
  /** It was asked to go to another server. */
  sentAway: boolean
  /** It is to get nothing until it is resumed. */
  paused: boolean
  /** It has free slots that were not filled because it did not read what it has been sent. */
  heldBack: boolean
  /** As the worker said last. */
  status: WorkerSessionRow["status"]
}

export class WorkerSessions extends Context.Service<WorkerSessions, {
  /** Opens a session's mailbox for as long as the scope lives. A mailbox it had before is ended first. */
  readonly open: (
    row: WorkerSessionRow,
    running: ReadonlyArray<HeldTask>,
    /** 0: as many as it can run. */
    window?: number
  ) => Effect.Effect<LiveSession, never, Scope.Scope>
  readonly find: (id: SessionId) => LiveSession | undefined
  readonly all: Effect.Effect<ReadonlyArray<LiveSession>>
  /** Takes wait until a session opens, or has a free slot that it had not before. */
  readonly capacity: Queue.Dequeue<void>
  /** Notes that a session no longer runs an attempt; 0 stands for whichever it runs. */
  readonly freeSlot: (id: SessionId, task_id: TaskId, attempt: number) => Effect.Effect<void>
  /** As above, for all attempts that one message of its stream was about. */
  readonly freeAll: (session: LiveSession, attempts: ReadonlyArray<HeldTask>) => Effect.Effect<void>
  /** The worker says how much it wants to have from now on. */
  readonly setWindow: (session: LiveSession, window: number) => Effect.Effect<void>
  /** The worker has read all messages with tasks up to this one. */
  readonly received: (session: LiveSession, delivery: number) => Effect.Effect<void>
  /** Asks a worker to start nothing more, and gives it nothing until it is resumed; false where its stream does not end here. */
  readonly pause: (id: SessionId, reason: string) => Effect.Effect<boolean>
  readonly resume: (id: SessionId) => Effect.Effect<boolean>
  /** The session's stream has taken what lay in its mailbox. */
  readonly emptied: (session: LiveSession) => Effect.Effect<void>
  readonly isDeaf: (session: LiveSession) => Effect.Effect<boolean>
  /** Sessions of protocol 2 whose workers closed their streams, unasked. */
  readonly closed: Queue.Queue<SessionId>
  /** The session is over: ends its stream. */
  readonly close: (id: SessionId) => Effect.Effect<void>
}>()("@englog/api/cluster/WorkerSessions") {
  static readonly layer = Layer.effect(
    WorkerSessions,
    Effect.gen(function*() {
      const { deafAfter } = yield* Liveness
      const sessions = new Map<SessionId, LiveSession>()
      const capacity = yield* Queue.sliding<void>(1)
      const closed = yield* Queue.unbounded<SessionId>()
      const signal = Effect.sync(() => void Queue.offerUnsafe(capacity, undefined))

      const remove = (id: SessionId, reason: "replaced" | "over") =>
        Effect.suspend(() => {
          const session = sessions.get(id)
          if (session === undefined) return Effect.void
          sessions.delete(id)
          return Queue.fail(session.mailbox, new StreamEnded({ reason })).pipe(Effect.asVoid)
        })

      const command = (id: SessionId, paused: boolean, message: ToWorker) =>
        Effect.suspend(() => {
          const session = sessions.get(id)
          if (session === undefined) return Effect.succeed(false)
          session.paused = paused
          return Effect.as(Queue.offer(session.mailbox, message), true)
        })

      return WorkerSessions.of({
        open: (row, running, window = 0) =>
          Effect.acquireRelease(
            Effect.gen(function*() {
              yield* remove(row.id, "replaced")
              const session: LiveSession = {
                row,
                mailbox: yield* Queue.unbounded<Outgoing, StreamEnded>(),
                delivered: new Map(running.map((task) => [task.task_id, task.attempt])),
                unanswered: new Map(),
                // Above every sequence of an earlier stream, so that acknowledging those counts for nothing here.
                lastPing: BigInt(yield* Clock.currentTimeMillis),
                unreceived: new Map(),
                deliveries: 0,
                window: window === 0 ? row.max_concurrent_tasks : window,
                claiming: 0,
                sentAway: false,
                paused: row.paused,
                heldBack: false,
                status: row.status
              }
              sessions.set(row.id, session)
              // A worker forgets a pause with the stream it came by.
              if (row.paused) yield* Queue.offer(session.mailbox, { _tag: "PauseIntake", reason: OPERATOR_PAUSE })
              yield* signal
              return session
            }),
            (session) => sessions.get(row.id) === session ? remove(row.id, "over") : Effect.void
          ),
        find: (id) => sessions.get(id),
        all: Effect.sync(() => [...sessions.values()]),
        capacity,
        closed,
        freeSlot: (id, task_id, attempt) =>
          Effect.suspend(() => {
            const delivered = sessions.get(id)?.delivered
            const runs = delivered?.get(task_id)
            if (delivered === undefined || runs === undefined || (attempt !== 0 && attempt !== runs)) return Effect.void
            delivered.delete(task_id)
            return signal
          }),
        freeAll: (session, attempts) =>
          Effect.suspend(() => {
            let freed = false
            for (const { attempt, task_id } of attempts) {
              const runs = session.delivered.get(task_id)
              if (runs === undefined || (attempt !== 0 && attempt !== runs)) continue
              session.delivered.delete(task_id)
              freed = true
            }
            return freed ? signal : Effect.void
          }),
        setWindow: (session, window) =>
          Effect.suspend(() => {
            session.window = window
            return signal
          }),
        received: (session, delivery) =>
          Effect.sync(() => {
            for (const sent of session.unreceived.keys()) {
              if (sent > delivery) return
              session.unreceived.delete(sent)
            }
          }),
        pause: (id, reason) => command(id, true, { _tag: "PauseIntake", reason }),
        resume: (id) => Effect.tap(command(id, false, { _tag: "ResumeIntake" }), signal),
        emptied: (session) =>
          Effect.suspend(() => {
            if (!session.heldBack || Queue.sizeUnsafe(session.mailbox) > 0) return Effect.void
            session.heldBack = false
            return signal
          }),
        isDeaf: (session) =>
          Clock.currentTimeMillis.pipe(Effect.map((now) => {
            const [ping = now] = session.unanswered.values()
            const [delivery = now] = session.unreceived.values()
            return now - Math.min(ping, delivery) > Duration.toMillis(deafAfter)
          })),
        close: (id) => remove(id, "over")
      })
    })
  )
}

/** What a worker is told whom an operator paused. */
export const OPERATOR_PAUSE = "paused by an operator"

/** Slots in which no task runs or waits, or is about to. */
export const openSlots = (session: LiveSession): number =>
  session.status === "draining" || session.paused ? 0 : Math.max(0, session.window - session.delivered.size - session.claiming)

/** Open slots in which the dispatcher may put work now. */
export const freeSlots = (session: LiveSession): number =>
  Math.min(openSlots(session), Math.max(0, unreadLimit(session) - Queue.sizeUnsafe(session.mailbox)))

/** Messages that wait for one worker to read them: whoever does not read gets no more, and costs no more memory. */
export const MAX_UNREAD = 64

/** A worker that wants much in advance reads it by the dozen: so much may wait that its connection never runs dry. */
const unreadLimit = (session: LiveSession): number =>
  Math.max(MAX_UNREAD, Math.min(MAX_UNREAD_IN_ADVANCE, session.window - session.row.max_concurrent_tasks))
const MAX_UNREAD_IN_ADVANCE = 512
