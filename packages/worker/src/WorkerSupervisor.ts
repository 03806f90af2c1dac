/**
 * Runs the attempts this worker is given, each in a fiber of its own, and stops them when they are cancelled or revoked.
 *
 * A stop (SIGTERM) drains: intake ends, running tasks may finish, what is left is interrupted, and leaving the session gives
 * those tasks back to the queue at once. The whole takes at most 8 s of the 10 s that process managers commonly grant.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { HeldTask, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { Context, Deferred, Duration, Effect, FiberMap, Layer, Queue, Ref, Semaphore, SubscriptionRef } from "effect"
import { ApiLink } from "./ApiLink.ts"
import { AppConfig } from "./AppConfig.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import { TaskHandlers } from "./handlers/TaskHandlers.ts"
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

type Services = ApiLink | AttemptLedger | TaskHandlers

const make = Effect.gen(function*() {
  const config = yield* AppConfig
  const drainLimit = yield* DrainLimit
  const link = yield* ApiLink
  const ledger = yield* AttemptLedger
  const fibers = yield* FiberMap.make<TaskId, void>()
  const fork = yield* FiberMap.runtime(fibers)<Services>()
  const cancellations = yield* Ref.make<ReadonlyMap<TaskId, Deferred.Deferred<string>>>(new Map())
  const slots = yield* Semaphore.make(config.maxConcurrent)

  const start = Effect.fnUntraced(function*(task: WorkerTask) {
    if (yield* Ref.get(ledger.draining)) return
    const held: HeldTask = { task_id: task.task_id, attempt: task.attempt }
    // A stream that was opened again may repeat what it delivered.
    if ((yield* SubscriptionRef.get(ledger.held)).get(task.task_id)?.attempt === task.attempt) return
    const cancelled = yield* Deferred.make<string>()
    yield* ledger.begin(held)
    yield* Ref.update(cancellations, (map) => new Map(map).set(task.task_id, cancelled))
    fork(
      task.task_id,
      TaskActor.run({ task, workerId: config.workerId, cancelled, slots }).pipe(
        Effect.tapDefect((defect) => Effect.logError("an attempt ended unexpectedly", defect)),
        Effect.ensuring(ledger.end(held)),
        Effect.ensuring(Ref.update(cancellations, (map) =>
          map.get(task.task_id) === cancelled ? new Map([...map].filter(([id]) => id !== task.task_id)) : map))
      )
    )
  })

  const holds = (held: HeldTask) =>
    Effect.map(SubscriptionRef.get(ledger.held), (map) => {
      const attempt = map.get(held.task_id)?.attempt
      return attempt !== undefined && (held.attempt === 0 || attempt === held.attempt)
    })

  const cancel = Effect.fnUntraced(function*(held: HeldTask, reason: string) {
    const cancelled = (yield* Ref.get(cancellations)).get(held.task_id)
    if (cancelled !== undefined && (yield* holds(held))) yield* Deferred.succeed(cancelled, reason)
  })

  const revoke = Effect.fnUntraced(function*(held: HeldTask) {
    if (!(yield* holds(held))) return
    yield* Effect.logWarning("attempt revoked; stopping it").pipe(Effect.annotateLogs({ task_id: held.task_id, attempt: held.attempt }))
    yield* FiberMap.remove(fibers, held.task_id)
  })

  const intake = Queue.take(link.inbox).pipe(
    Effect.flatMap((message) => {
      switch (message._tag) {
        case "Task":
          return start(message.task)
        case "CancelTask":
          return cancel(message, message.reason === "" ? "cancelled" : message.reason)
        case "Revoked":
          return revoke(message.held)
      }
    }),
    Effect.forever,
    Effect.annotateLogs({ component: "worker_supervisor", worker_id: config.workerId })
  )
  yield* Effect.forkScoped(intake)
  // Added last, so it runs first: fibers, intake and link still live while the worker drains.
  yield* Effect.addFinalizer(() => drain(link, ledger, fibers, drainLimit).pipe(
    Effect.annotateLogs({ component: "worker_supervisor", operation: "drain", worker_id: config.workerId })
  ))
  return WorkerSupervisor.of({ active: FiberMap.size(fibers) })
})

const drain = Effect.fnUntraced(function*(
  link: ApiLink["Service"],
  ledger: AttemptLedger["Service"],
  fibers: FiberMap.FiberMap<TaskId, void>,
  limit: Duration.Duration
) {
  yield* Ref.set(ledger.draining, true)
  yield* link.heartbeatNow
  const running = yield* FiberMap.size(fibers)
  yield* Effect.logInfo("draining").pipe(Effect.annotateLogs({ running }))
  yield* Effect.timeoutOption(Effect.ignore(FiberMap.awaitEmpty(fibers)), limit)
  const left = yield* FiberMap.size(fibers)
  yield* Effect.timeoutOption(FiberMap.clear(fibers), STEP_LIMIT)
  yield* link.leave("the worker is stopping").pipe(
    Effect.timeout(STEP_LIMIT),
    Effect.catch((error) =>
      Effect.logWarning("could not leave the session; its lease will expire").pipe(Effect.annotateLogs({ reason: error.message }))
    )
  )
  yield* Effect.logInfo("drained").pipe(Effect.annotateLogs({ finished: running - left, returned: left }))
})
