/**
 * Tasks that meet an empty queue and a free slot are inserted already running, and sent once that has committed: one commit
 * and one look at the queue less. Who has slots knows the cluster; it registers itself here, and the engine asks.
 */
import type { SessionId, TaskId, WorkerId } from "@englog/domain/Ids"
import type { NewTask, TaskLease } from "@englog/domain/tasks/Task"
import { Context, Effect, Layer, Ref } from "effect"

/** A slot that is kept for one task. */
export interface Reservation {
  readonly session_id: SessionId
  readonly worker_id: WorkerId
}

export interface SlotKeeper {
  /** A slot for this task, unless others of its queue and kind may be waiting already. Synchronous: nothing changes meanwhile. */
  readonly reserve: (task: Pick<NewTask, "task_id" | "queue" | "kind">) => Reservation | undefined
  /** The task is committed as running there. */
  readonly deliver: (reservation: Reservation, lease: TaskLease) => Effect.Effect<void>
  /** The task was not inserted after all. */
  readonly giveBack: (reservation: Reservation, task_id: TaskId) => Effect.Effect<void>
}

const nobody: SlotKeeper = { reserve: () => undefined, deliver: () => Effect.void, giveBack: () => Effect.void }

export class HandOff extends Context.Service<HandOff, {
  readonly keeper: Effect.Effect<SlotKeeper>
  readonly register: (keeper: SlotKeeper) => Effect.Effect<void>
}>()("@englog/api/queue/HandOff") {
  static readonly layer = Layer.effect(
    HandOff,
    Effect.map(Ref.make<SlotKeeper>(nobody), (keeper) => HandOff.of({ keeper: Ref.get(keeper), register: (next) => Ref.set(keeper, next) }))
  )
}
