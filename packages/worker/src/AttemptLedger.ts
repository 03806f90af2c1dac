/**
 * What this worker holds and has done: the attempts it runs (until their outcome is handed in) and how many ended how.
 * Heartbeats, /health and the supervisor all read it; it knows neither gRPC nor handlers.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Context, Effect, Layer, Ref, SubscriptionRef } from "effect"

export interface AttemptCounts {
  readonly completed: number
  readonly failed: number
}

export class AttemptLedger extends Context.Service<AttemptLedger, {
  /** By task id; a newer attempt of a task takes the place of an older one. */
  readonly held: SubscriptionRef.SubscriptionRef<ReadonlyMap<TaskId, HeldTask>>
  readonly counts: Effect.Effect<AttemptCounts>
  readonly begin: (attempt: HeldTask) => Effect.Effect<void>
  readonly end: (attempt: HeldTask) => Effect.Effect<void>
  /** Cancelled attempts count as neither. */
  readonly count: (outcome: keyof AttemptCounts) => Effect.Effect<void>
  readonly draining: Ref.Ref<boolean>
}>()("@englog/worker/AttemptLedger") {
  static readonly layer = Layer.effect(
    AttemptLedger,
    Effect.gen(function*() {
      const held = yield* SubscriptionRef.make<ReadonlyMap<TaskId, HeldTask>>(new Map())
      const counts = yield* Ref.make<AttemptCounts>({ completed: 0, failed: 0 })
      const draining = yield* Ref.make(false)
      return AttemptLedger.of({
        held,
        counts: Ref.get(counts),
        begin: ({ task_id, attempt }) =>
          SubscriptionRef.update(held, (map) => new Map(map).set(task_id, { task_id, attempt })),
        end: (ended) =>
          SubscriptionRef.update(held, (map) =>
            map.get(ended.task_id)?.attempt === ended.attempt
              ? new Map([...map].filter(([id]) => id !== ended.task_id))
              : map),
        count: (outcome) => Ref.update(counts, (before) => ({ ...before, [outcome]: before[outcome] + 1 })),
        draining
      })
    })
  )
}
