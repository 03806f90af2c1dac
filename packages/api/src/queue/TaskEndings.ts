/**
 * Who wants to know of the end of tasks, whatever their kind: told inside the transaction that ends the task, so that what they
 * write is committed with it. Told of organizations in the view `followed_organizations` only: most have nobody who wants to know,
 * and their tasks are completed many at once.
 */
import type { FailureReason } from "@englog/domain/tasks/TaskState"
import { Context, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { EffectTask } from "./TaskKinds.ts"

export interface Ending {
  readonly task: EffectTask & { readonly kind: string }
  readonly state: "completed" | "failed" | "cancelled" | "expired"
  readonly reason: FailureReason | null
  /** JSON text, of a task that completed. */
  readonly result: string | null
}

type Follower = (ending: Ending) => Effect.Effect<void, SqlError>

export class TaskEndings extends Context.Service<TaskEndings, {
  /** One follower: who comes later takes the place. */
  readonly follow: (follower: Follower) => Effect.Effect<void>
  readonly tell: Follower
}>()("@englog/api/queue/TaskEndings") {
  static readonly layer = Layer.sync(TaskEndings, () => {
    let follower: Follower = () => Effect.void
    return TaskEndings.of({
      follow: (next) =>
        Effect.sync(() => {
          follower = next
        }),
      tell: (ending) => follower(ending)
    })
  })
}
