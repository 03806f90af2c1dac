/** The handlers of this worker, by kind. The kinds are what it announces at registration. */
import { Context, Effect, Layer } from "effect"
import type { TaskHandler } from "./TaskHandler.ts"

export class TaskHandlers extends Context.Service<TaskHandlers, ReadonlyMap<string, TaskHandler>>()(
  "@englog/worker/handlers/TaskHandlers"
) {
  /** A later handler of a kind replaces an earlier one. */
  static readonly layer = <E, R>(handlers: ReadonlyArray<Effect.Effect<TaskHandler, E, R>>) =>
    Layer.effect(
      TaskHandlers,
      Effect.map(Effect.all(handlers), (made) => new Map(made.map((handler) => [handler.kind, handler])))
    )
}
