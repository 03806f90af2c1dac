/**
 * What this worker holds and has done: the attempts that are with it (from their arrival until their outcome is acknowledged)
 * and how many ended how. Heartbeats, /health and the supervisor all read it; it knows neither gRPC nor handlers.
 *
 * It changes with every task, so that it is one map that is changed in place, and only its becoming busy or idle is told.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Context, Effect, Layer, Ref, SubscriptionRef } from "effect"

export interface AttemptCounts {
  readonly completed: number
  readonly failed: number
}

export class AttemptLedger extends Context.Service<AttemptLedger, {
  /** As it is now, by task id; a newer attempt of a task takes the place of an older one. */
  readonly held: ReadonlyMap<TaskId, HeldTask>
  /** Whether anything is held. */
  readonly busy: SubscriptionRef.SubscriptionRef<boolean>
  readonly counts: () => AttemptCounts
  /** False where this very attempt is held already: a stream that was opened again may repeat what it delivered. */
  readonly begin: (attempt: HeldTask) => boolean
  readonly end: (attempt: HeldTask) => void
  /** Cancelled attempts count as neither. */
  readonly count: (outcome: keyof AttemptCounts) => void
  readonly draining: Ref.Ref<boolean>
}>()("@englog/worker/AttemptLedger") {
  static readonly layer = Layer.effect(
    AttemptLedger,
    Effect.gen(function*() {
      const held = new Map<TaskId, HeldTask>()
      const counts = { completed: 0, failed: 0 }
      const busy = yield* SubscriptionRef.make(false)
      const draining = yield* Ref.make(false)
      const services = yield* Effect.context<never>()
      const tell = (value: boolean) => void Effect.runForkWith(services)(SubscriptionRef.set(busy, value))
      return AttemptLedger.of({
        held,
        busy,
        counts: () => ({ ...counts }),
        begin: ({ attempt, task_id }) => {
          if (held.get(task_id)?.attempt === attempt) return false
          held.set(task_id, { task_id, attempt })
          if (held.size === 1) tell(true)
          return true
        },
        end: ({ attempt, task_id }) => {
          if (held.get(task_id)?.attempt !== attempt) return
          held.delete(task_id)
          if (held.size === 0) tell(false)
        },
        count: (outcome) => {
          counts[outcome] += 1
        },
        draining
      })
    })
  )
}
