/**
 * Puts ready tasks into free slots of this replica's sessions. It looks whenever it is woken (a task was queued, a slot became
 * free, a session opened) and once per second in any case. Beside that it keeps free slots for the engine's hand-off: as long
 * as the last look found room for all that waited of a queue and kind, the next such task goes straight to a worker. What was
 * queued since that look has slots as well, and is overtaken by no more than the look that is under way.
 */
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { currentTraceparent, isSampled, parentOf } from "@englog/platform/telemetry/TraceContext"
import { Clock, Effect, Layer, Option, Queue } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import { ClaimRepo } from "../queue/ClaimRepo.ts"
import { HandOff, type SlotKeeper } from "../queue/HandOff.ts"
import { ALL_QUEUES, QueueSettings } from "../queue/QueueSettings.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { CallLimits } from "./CallLimits.ts"
import { WorkerSessionRepo } from "./WorkerSessionRepo.ts"
import { freeSlots, type LiveSession, openSlots, WorkerSessions } from "./WorkerSessions.ts"

const POLL = 1_000

/**
 * Free slots that are worth a statement of their own while much waits, and for how many milliseconds fewer wait for others:
 * where the worker has tasks in advance, so that nothing is idle meanwhile, and where it may have an idle slot.
 */
const WORTH_A_CLAIM = 128
const WHILE = 50
const MOMENT = 5

/** Runs as long as the layer lives. */
export const DispatcherLive = Layer.effectDiscard(Effect.gen(function*() {
  const claims = yield* ClaimRepo
  const settings = yield* QueueSettings
  const sessions = yield* WorkerSessions
  const repo = yield* WorkerSessionRepo
  const limits = yield* CallLimits
  const handOff = yield* HandOff
  const wake = yield* (yield* Wakeups).subscribe("tasks")

  /** Sessions that may be given work, as of the last look. */
  let ready: ReadonlyArray<LiveSession> = []
  /** Lanes in which the last look left nothing waiting. */
  const empty = new Set<string>()
  /** Sessions whose last claim filled all their slots, and when that was. */
  const filled = new WeakMap<LiveSession, number>()
  /** Milliseconds until free slots are worth a claim that were not at the last look. */
  let postponed = Number.POSITIVE_INFINITY
  /** Queues that have settings of their own, and whatever an operator limited, take the way through the claim. */
  let restricted: ReadonlySet<string> = new Set()

  const send = Effect.fnUntraced(function*(session: LiveSession, leases: ReadonlyArray<TaskLease>) {
    for (const lease of leases) {
      session.delivered.set(lease.task_id, lease.attempt)
      if (isSampled(lease.traceparent)) yield* deliver(session, lease)
      else offer(session, lease, lease.traceparent)
    }
    yield* limits.delivered(session.row.id, leases.length)
  })

  /** Sessions whose lease has lapsed: what they are given would be taken back at once. */
  let lapsed: ReadonlyArray<string> = []
  let leasesSeen = 0

  const isIdle = ({ kinds, queues }: LiveSession["row"]) => queues.every((queue) => kinds.every((kind) => empty.has(laneOf(queue, kind))))

  const mark = ({ kinds, queues }: LiveSession["row"], each: (lane: string) => void) => {
    for (const queue of queues) for (const kind of kinds) each(laneOf(queue, kind))
  }

  const claimFor = (session: LiveSession, slots: number) =>
    Effect.suspend(() => {
      const { row } = session
      session.claiming = slots
      return claims.claim({
        session_id: row.id,
        worker_id: row.worker_id,
        kinds: row.kinds,
        queues: row.queues,
        lineage: row.protocol === 1 ? [row.id, ...row.lineage] : [],
        slots
      })
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        session.claiming = 0
      })),
      Effect.withTracerEnabled(false)
    )

  /** Milliseconds until a session is worth a claim. While much waits, a few free slots are not: others will be free in a moment. */
  const untilClaim = (session: LiveSession, newWork: boolean, now: number): number => {
    const slots = freeSlots(session)
    if (slots === 0 || (isIdle(session.row) && !newWork)) return Number.POSITIVE_INFINITY
    const few = session.delivered.size > 0 && slots < Math.min(WORTH_A_CLAIM, session.window / 4)
    const ahead = session.delivered.size > session.row.max_concurrent_tasks
    return few ? Math.max(0, (filled.get(session) ?? 0) + (ahead ? WHILE : MOMENT) - now) : 0
  }

  const fill = (session: LiveSession, newWork: boolean): Effect.Effect<void, SqlError> =>
    Effect.gen(function*() {
      const slots = freeSlots(session)
      session.heldBack = slots < openSlots(session)
      const now = yield* Clock.currentTimeMillis
      const { row } = session
      if (sessions.find(row.id) !== session) return
      const wait = untilClaim(session, newWork, now)
      if (wait > 0) {
        postponed = Math.min(postponed, wait)
        return Number.isFinite(wait) ? mark(row, (lane) => void empty.delete(lane)) : undefined
      }
      // Where nothing waited a moment ago little waits now: half of the slots stay with the hand-off meanwhile.
      const asked = isIdle(row) ? Math.ceil(slots / 2) : slots
      const claimed = yield* claimFor(session, asked)
      if (claimed.length > 0) yield* send(session, claimed)
      if (claimed.length === asked) {
        filled.set(session, now)
        mark(row, (lane) => void empty.delete(lane))
        return asked < slots ? yield* fill(session, newWork) : undefined
      }
      filled.delete(session)
      // What a limit holds back waits although it was not claimed.
      const queues = row.queues.filter((queue) => !restricted.has(queue) && !restricted.has(ALL_QUEUES))
      if (row.protocol === 2) mark({ ...row, queues }, (lane) => void empty.add(lane))
    })

  /** When every lane was last looked at. */
  let looked = 0

  const round = Effect.fnUntraced(function*(woken: boolean) {
    const now = yield* Clock.currentTimeMillis
    // Free slots may be told all the time: the poll does not wait for silence.
    const newWork = woken || now - looked >= POLL
    if (newWork) {
      looked = now
      const all = [...(yield* settings.current).values()]
      restricted = new Set(all.filter(({ max_running, paused }) => paused || max_running !== null).map(({ queue }) => queue))
      if (restricted.size > 0) empty.clear()
    }
    postponed = Number.POSITIVE_INFINITY
    const open = yield* sessions.all
    // Asked before every claim: a session may have been ended by another replica.
    const somebodyClaims = open.some((session) => untilClaim(session, newWork, now) === 0)
    if (somebodyClaims || (open.length > 0 && now - leasesSeen >= POLL)) {
      lapsed = yield* repo.withoutLease(open.map((session) => session.row.id)).pipe(Effect.withTracerEnabled(false))
      leasesSeen = now
    }
    const hearing = yield* Effect.filter(open, (session) => Effect.map(sessions.isDeaf(session), (deaf) => !deaf))
    // The least busy worker first, so that work spreads.
    ready = hearing.filter((session) => !lapsed.includes(session.row.id)).sort((a, b) => a.delivered.size - b.delivered.size)
    yield* Effect.forEach(ready, (session) => fill(session, newWork), { discard: true })
  })

  const keeper: SlotKeeper = {
    reserve: ({ kind, queue, task_id }) => {
      if (restricted.size > 0 || !empty.has(laneOf(queue, kind))) return undefined
      let best: LiveSession | undefined
      for (const session of ready) {
        if (!session.row.queues.includes(queue) || !session.row.kinds.includes(kind)) continue
        if (sessions.find(session.row.id) !== session || freeSlots(session) === 0) continue
        if (best === undefined || session.delivered.size < best.delivered.size) best = session
      }
      if (best === undefined) {
        empty.delete(laneOf(queue, kind))
        return undefined
      }
      best.delivered.set(task_id, 1)
      return { session_id: best.row.id, worker_id: best.row.worker_id }
    },
    deliver: ({ session_id }, lease) => {
      const session = sessions.find(session_id)
      // A session that ended meanwhile has lost this task like its others: it will be rescued.
      return session === undefined ? Effect.void : send(session, [lease])
    },
    giveBack: ({ session_id }, task_id) => sessions.freeSlot(session_id, task_id, 1)
  }
  yield* handOff.register(keeper)

  const look = (newWork: boolean) =>
    round(newWork).pipe(Effect.catchCause((cause) =>
      warnUnlessOutage("could not dispatch; trying again", cause).pipe(
        Effect.annotateLogs({ component: "cluster", operation: "dispatch" })
      )
    ))
  /** A free slot is no news where nothing waits; whatever else happened, and the poll, may be. */
  const next = Effect.suspend(() =>
    Effect.raceFirst(Effect.as(Queue.take(wake), true), Effect.as(Queue.take(sessions.capacity), false)).pipe(
      Effect.timeoutOrElse({ duration: Math.min(postponed, POLL), orElse: () => Effect.succeed(postponed > POLL) })
    ))
  yield* look(true).pipe(Effect.andThen(Effect.forever(Effect.flatMap(next, look))), Effect.forkScoped)
}))

const laneOf = (queue: string, kind: string): string => `${queue} ${kind}`

/** Hands a task to its session's stream, as a step of the trace that submitted it and is recorded. */
const deliver = (session: LiveSession, lease: TaskLease): Effect.Effect<void> =>
  Effect.map(currentTraceparent, (own) => offer(session, lease, own === "" ? lease.traceparent : own)).pipe(Effect.withSpan("task.dispatch", {
    kind: "producer",
    ...Option.match(parentOf(lease.traceparent), { onNone: () => ({}), onSome: (parent) => ({ parent }) }),
    attributes: {
      [Attribute.taskId]: lease.task_id,
      [Attribute.taskKind]: lease.kind,
      [Attribute.taskAttempt]: lease.attempt,
      [Attribute.workerId]: session.row.worker_id,
      [Attribute.messagingSystem]: "englog",
      [Attribute.messagingOperation]: "dispatch",
      [Attribute.messagingOperationType]: "send",
      [Attribute.messagingMessageId]: lease.task_id
    }
  }))

const offer = (session: LiveSession, lease: TaskLease, traceparent: string): void =>
  void Queue.offerUnsafe(session.mailbox, {
    _tag: "Task",
    task: {
      task_id: lease.task_id,
      kind: lease.kind,
      payload: lease.payload,
      priority: lease.priority,
      attempt: lease.attempt,
      deadline: Option.some(lease.deadline),
      traceparent: traceparent === "" ? Option.none() : Option.some(traceparent)
    }
  })
