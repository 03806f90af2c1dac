/**
 * What the API knows about each kind of task. A noun registers its kinds here; the engine never imports a noun.
 */
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Context, Effect, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"

/** A worker's result does not fit its kind's schema; `message` names the field. */
export class InvalidResult extends Schema.TaggedError<InvalidResult>()("InvalidResult", { message: Schema.String }) {}

/** The effect of a kind could not be carried out; the transaction around it is rolled back. */
export class OutcomeEffectError extends Schema.TaggedError<OutcomeEffectError>()("OutcomeEffectError", {
  kind: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `the effect of a completed ${this.kind} task failed: ${String(this.cause)}`
  }
}

export interface RegisteredKind {
  readonly kind: string
  /** What is wrong with a result, by its shape alone; undefined where nothing is. */
  readonly problem?: (result: string) => string | undefined
  /**
   * Runs inside the fenced transaction that completes the task. Returns the result to keep, as JSON text: what the worker
   * handed in is only its input. A kind without it keeps what it was handed.
   */
  readonly onCompleted?: (
    task: Pick<TaskLease, "task_id" | "organization_id" | "user_id" | "payload" | "private_input">,
    result: string
  ) => Effect.Effect<string, InvalidResult | OutcomeEffectError | SqlError>
  /** What a worker may read, as JSON text, while it holds the task. */
  readonly data?: (lease: TaskLease) => Effect.Effect<string, OutcomeEffectError | SqlError>
}

export class TaskKinds extends Context.Service<TaskKinds, {
  readonly register: (kind: RegisteredKind) => Effect.Effect<void>
  readonly find: (kind: string) => RegisteredKind | undefined
}>()("@englog/api/queue/TaskKinds") {
  static readonly layer = Layer.sync(TaskKinds, () => {
    const kinds = new Map<string, RegisteredKind>()
    return TaskKinds.of({
      register: (kind) => Effect.sync(() => void kinds.set(kind.kind, kind)),
      find: (kind) => kinds.get(kind)
    })
  })
}
