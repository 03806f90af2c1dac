/**
 * Puts ready tasks into free slots of this replica's sessions. It looks whenever it is woken (a task was queued, a slot
 * became free, a session opened) and once per second in any case, because retries come due without anybody waking it.
 */
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Effect, Layer, Option, Queue } from "effect"
import { Headers, HttpTraceContext } from "effect/http"
import { warnUnlessOutage } from "../db/Outage.ts"
import { LeaseRepo } from "../queue/LeaseRepo.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { CallLimits } from "./CallLimits.ts"
import { WorkerSessionRepo } from "./WorkerSessionRepo.ts"
import { freeSlots, type LiveSession, openSlots, WorkerSessions } from "./WorkerSessions.ts"

const POLL = "1 second"

/** Runs as long as the layer lives. */
export const DispatcherLive = Layer.effectDiscard(Effect.gen(function*() {
  const leases = yield* LeaseRepo
  const sessions = yield* WorkerSessions
  const repo = yield* WorkerSessionRepo
  const limits = yield* CallLimits
  const wake = yield* (yield* Wakeups).subscribe("tasks")

  const fill = Effect.fnUntraced(function*(session: LiveSession) {
    const slots = freeSlots(session)
    session.heldBack = slots < openSlots(session)
    const gone = sessions.find(session.row.id) !== session
    if (gone || slots === 0 || (yield* sessions.isDeaf(session))) return
    const { row } = session
    const claimed = yield* leases.claim({
      session_id: row.id,
      worker_id: row.worker_id,
      kinds: row.kinds,
      queues: row.queues,
      lineage: row.protocol === 1 ? [row.id, ...row.lineage] : [],
      slots
    }).pipe(Effect.withTracerEnabled(false))
    for (const lease of claimed) {
      yield* deliver(session, lease)
      yield* limits.delivered(row.id)
    }
  })

  const round = Effect.gen(function*() {
    const open = yield* sessions.all
    if (open.length === 0) return
    // What a session without a lease is given would be taken back at once.
    const lapsed = yield* repo.withoutLease(open.map((session) => session.row.id)).pipe(Effect.withTracerEnabled(false))
    // The least busy worker first, so that work spreads.
    const order = open.filter((session) => !lapsed.includes(session.row.id)).sort((a, b) => a.delivered.size - b.delivered.size)
    yield* Effect.forEach(order, fill, { discard: true })
  })

  yield* round.pipe(
    Effect.catchCause((cause) =>
      warnUnlessOutage("could not dispatch; trying again", cause).pipe(
        Effect.annotateLogs({ component: "cluster", operation: "dispatch" })
      )
    ),
    Effect.andThen(Effect.raceFirst(Queue.take(wake), Queue.take(sessions.capacity)).pipe(Effect.timeoutOption(POLL))),
    Effect.forever,
    Effect.forkScoped
  )
}))

/** Hands a claimed task to its session's stream, as a step of the trace that submitted it. */
const deliver = (session: LiveSession, lease: TaskLease) =>
  Effect.gen(function*() {
    session.delivered.set(lease.task_id, lease.attempt)
    const span = yield* Effect.option(Effect.currentSpan)
    const traceparent = Option.match(span, {
      onNone: () => lease.traceparent,
      onSome: (span) => HttpTraceContext.toHeaders(span).traceparent ?? lease.traceparent
    })
    yield* Queue.offer(session.mailbox, {
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
    yield* Effect.logDebug("dispatched a task").pipe(Effect.annotateLogs({
      component: "cluster",
      operation: "dispatch",
      task_id: lease.task_id,
      attempt: lease.attempt,
      worker_id: session.row.worker_id
    }))
  }).pipe(Effect.withSpan("task.dispatch", {
    kind: "producer",
    ...Option.match(HttpTraceContext.w3c(Headers.fromInput({ traceparent: lease.traceparent })), {
      onNone: () => ({}),
      onSome: (parent) => ({ parent })
    }),
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
