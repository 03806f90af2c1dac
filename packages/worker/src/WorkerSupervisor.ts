/**
 * Runs the attempts this worker is given, each in a fiber of its own and no more at once than it has slots; the others wait,
 * and are given back where that takes long. It stops them when they are cancelled, revoked or past their deadline.
 *
 * A stop (SIGTERM) drains: intake ends, what waits goes back at once, running tasks may finish, what is left is interrupted, and
 * leaving the session gives it back to the queue. The whole takes at most 8 s of the 10 s that process managers commonly grant.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { HeldTask, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, DateTime, Duration, Effect, FiberMap, Layer, LogLevel, Option, Queue, Ref } from "effect"
import { ApiLink } from "./ApiLink.ts"
import { AppConfig } from "./AppConfig.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import { TaskHandlers } from "./handlers/TaskHandlers.ts"
import { Outbox } from "./Outbox.ts"
import { Prefetch } from "./Prefetch.ts"
import * as TaskActor from "./TaskActor.ts"

export class WorkerSupervisor extends Context.Service<WorkerSupervisor, {
  readonly active: Effect.Effect<number>
}>()("@englog/worker/WorkerSupervisor") {
  static readonly layer = Layer.effect(WorkerSupervisor, Effect.suspend(() => make))
}

/** How long running tasks may go on after SIGTERM. With interruption and leaving (1 s each) a stop takes at most 8 s. */
export const DrainLimit = Context.Reference<Duration.Duration>("@englog/worker/DrainLimit", {
  defaultValue: () => Duration.seconds(6)
})
const STEP_LIMIT = Duration.seconds(1)
/** What waits longer for a slot, in milliseconds, is given back: another worker may have a free one. */
const PATIENCE = 1_000

interface Waiting {
  readonly task: WorkerTask
  /** Milliseconds since 1970. */
  readonly since: number
}

interface Running {
  readonly task: WorkerTask
  stop: TaskActor.Stop | undefined
}

const make = Effect.gen(function*() {
  const config = yield* AppConfig
  const drainLimit = yield* DrainLimit
  const link = yield* ApiLink
  const ledger = yield* AttemptLedger
  const outbox = yield* Outbox
  const fibers = yield* FiberMap.make<TaskId, void>()
  const fork = yield* FiberMap.runtime(fibers)()
  const prefetch = new Prefetch(config.maxConcurrent, config.prefetch)
  const waiting = new Map<TaskId, Waiting>()
  const running = new Map<TaskId, Running>()
  let taken = 0
  let paused = false
  let pumping = false
  /** Nothing becomes due before these, as far as was looked: a deadline by the server's clock, the end of patience by ours. */
  let nextDeadline = Infinity
  let nextImpatience = Infinity
  const sooner = yield* Queue.sliding<void>(1)
  let clockIsSet = false
  const host: TaskActor.Host = {
    link,
    outbox,
    ledger,
    workerId: config.workerId,
    handlers: yield* TaskHandlers,
    logs: { debug: yield* LogLevel.isEnabled("Debug"), info: yield* LogLevel.isEnabled("Info") }
  }
  outbox.setWindow(prefetch.window)

  const lookAgain = () => void Queue.offerUnsafe(sooner, undefined)

  const start = (task: WorkerTask) => {
    const entry: Running = { task, stop: undefined }
    running.set(task.task_id, entry)
    if (deadlineOf(task) < nextDeadline) lookAgain()
    taken += 1
    const free = () => {
      taken -= 1
      pump()
    }
    fork(
      task.task_id,
      TaskActor.run(host, {
        task,
        stop: () => entry.stop,
        returned: (milliseconds) => {
          if (running.get(task.task_id) === entry) running.delete(task.task_id)
          prefetch.ended(milliseconds)
          outbox.setWindow(prefetch.window)
          if (!config.slotHeld) free()
        },
        settled: () => config.slotHeld ? free() : undefined
      })
    )
  }

  /** Fills free slots. A handler may return at once and call this again from inside it. */
  const pump = () => {
    if (pumping || paused) return
    pumping = true
    for (const [task_id, { task }] of waiting) {
      if (taken >= config.maxConcurrent) break
      waiting.delete(task_id)
      start(task)
    }
    pumping = false
    if (waiting.size > 0 && taken < config.maxConcurrent) pump()
  }

  const giveBack = (tasks: Iterable<WorkerTask>) => {
    const held = [...tasks].map(({ attempt, task_id }): HeldTask => ({ task_id, attempt }))
    for (const { task_id } of held) waiting.delete(task_id)
    outbox.giveBack(held)
    return held.length
  }

  const accept = Effect.fnUntraced(function*(tasks: ReadonlyArray<WorkerTask>) {
    if (paused || (yield* Ref.get(ledger.draining))) return void giveBack(tasks)
    const since = yield* Clock.currentTimeMillis
    for (const task of tasks) waiting.set(task.task_id, { task, since })
    pump()
    // Whoever waited before runs out of patience first, and is looked after already.
    if (waiting.size > 0 && nextImpatience === Infinity) lookAgain()
  })

  const matches = (held: HeldTask, attempt: number) => held.attempt === 0 || held.attempt === attempt

  const cancel = Effect.fnUntraced(function*(held: HeldTask, reason: string) {
    const unstarted = waiting.get(held.task_id)?.task
    if (unstarted !== undefined && matches(held, unstarted.attempt)) {
      waiting.delete(held.task_id)
      return outbox.handIn({ task_id: held.task_id, attempt: unstarted.attempt, outcome: { _tag: "Cancelled", error: reason }, traceparent: "" })
    }
    const entry = running.get(held.task_id)
    if (entry === undefined || !matches(held, entry.task.attempt)) return
    yield* interrupt(entry, { _tag: "Cancelled", reason })
  })

  /** Not waited for: a handler may take its time, and the next command must not wait for it. */
  const interrupt = (entry: Running, stop: TaskActor.Stop) =>
    Effect.suspend(() => {
      entry.stop = stop
      return Effect.forkScoped(FiberMap.remove(fibers, entry.task.task_id))
    })

  const revoke = Effect.fnUntraced(function*(held: HeldTask) {
    const attempt = ledger.held.get(held.task_id)?.attempt
    if (attempt === undefined || !matches(held, attempt)) return
    yield* Effect.logWarning("attempt revoked; stopping it").pipe(Effect.annotateLogs({ task_id: held.task_id, attempt }))
    const unstarted = waiting.delete(held.task_id)
    if (unstarted || !running.has(held.task_id)) return ledger.end({ task_id: held.task_id, attempt })
    yield* Effect.forkScoped(FiberMap.remove(fibers, held.task_id))
  })

  const intake = Queue.take(link.inbox).pipe(
    Effect.flatMap((message) => {
      switch (message._tag) {
        case "Tasks":
          return accept(message.tasks)
        case "CancelTask":
          return cancel(message, message.reason === "" ? "cancelled" : message.reason)
        case "Revoked":
          return Effect.forEach(message.held, revoke, { discard: true })
        case "ClockSet":
          return Effect.sync(() => {
            clockIsSet = true
            lookAgain()
          })
        case "PauseIntake":
          return Effect.suspend(() => {
            paused = true
            const returned = giveBack([...waiting.values()].map(({ task }) => task))
            return Effect.logInfo("intake paused").pipe(Effect.annotateLogs({ reason: message.reason, returned }))
          })
        case "ResumeIntake":
          return Effect.suspend(() => {
            const was = paused
            paused = false
            pump()
            return was ? Effect.logInfo("intake resumed") : Effect.void
          })
      }
    }),
    Effect.forever,
    Effect.annotateLogs({ component: "worker_supervisor", worker_id: config.workerId })
  )

  /** Ends what is past its deadline by the server's clock, and gives back what waits for too long. */
  const look = Effect.gen(function*() {
    // Until the clocks were compared, one of ours that is ahead would end what has only begun.
    const serverNow = clockIsSet ? DateTime.toEpochMillis(yield* link.serverTime) : -Infinity
    nextDeadline = Infinity
    for (const entry of [...running.values()]) {
      if (entry.stop !== undefined) continue
      const deadline = deadlineOf(entry.task)
      if (deadline <= serverNow) yield* interrupt(entry, { _tag: "Deadline" })
      else nextDeadline = Math.min(nextDeadline, deadline)
    }
    const now = yield* Clock.currentTimeMillis
    const late = [...waiting.values()].filter((one) => one.since + PATIENCE <= now).map(({ task }) => task)
    if (late.length > 0) {
      prefetch.stalled()
      outbox.setWindow(prefetch.window)
      giveBack(late)
    }
    nextImpatience = Math.min(Infinity, ...[...waiting.values()].map(({ since }) => since + PATIENCE))
    return Math.min(nextDeadline - serverNow, nextImpatience - now)
  })

  /** Sleeps until the next of them is due, or there is something that may be due sooner. */
  const lookOut = Effect.flatMap(look, (left) =>
    Number.isFinite(left) ? Effect.asVoid(Effect.timeoutOption(Queue.take(sooner), left)) : Queue.take(sooner))

  yield* Effect.forkScoped(intake)
  yield* Effect.forkScoped(Effect.forever(lookOut))
  const giveBackWaiting = Effect.sync(() => giveBack([...waiting.values()].map(({ task }) => task)))
  // Added last, so it runs first: fibers, intake and link still live while the worker drains.
  yield* Effect.addFinalizer(() => drain({ link, ledger, outbox, fibers, limit: drainLimit, giveBackWaiting }).pipe(
    Effect.annotateLogs({ component: "worker_supervisor", operation: "drain", worker_id: config.workerId })
  ))
  return WorkerSupervisor.of({ active: FiberMap.size(fibers) })
})

/** Milliseconds since 1970, by the server's clock. */
const deadlineOf = ({ deadline }: WorkerTask): number => Option.isSome(deadline) ? DateTime.toEpochMillis(deadline.value) : Infinity

const drain = Effect.fnUntraced(function*({ fibers, giveBackWaiting, ledger, limit, link, outbox }: {
  readonly link: ApiLink["Service"]
  readonly ledger: AttemptLedger["Service"]
  readonly outbox: Outbox["Service"]
  readonly fibers: FiberMap.FiberMap<TaskId, void>
  readonly limit: Duration.Duration
  readonly giveBackWaiting: Effect.Effect<number>
}) {
  yield* Ref.set(ledger.draining, true)
  const unstarted = yield* giveBackWaiting
  yield* link.heartbeatNow
  const running = yield* FiberMap.size(fibers)
  yield* Effect.logInfo("draining").pipe(Effect.annotateLogs({ running }))
  yield* Effect.ignore(FiberMap.awaitEmpty(fibers)).pipe(Effect.andThen(outbox.empty), Effect.timeoutOption(limit))
  const left = yield* FiberMap.size(fibers)
  yield* Effect.timeoutOption(FiberMap.clear(fibers), STEP_LIMIT)
  yield* link.leave("the worker is stopping").pipe(
    Effect.timeout(STEP_LIMIT),
    Effect.catch((error) =>
      Effect.logWarning("could not leave the session; its lease will expire").pipe(Effect.annotateLogs({ reason: error.message }))
    )
  )
  yield* Effect.logInfo("drained").pipe(Effect.annotateLogs({ finished: running - left, returned: left + unstarted }))
})
