/**
 * What the API knows about each kind of task. A noun registers its kinds here; the engine never imports a noun.
 */
import type { FailureTerms, TaskLease } from "@englog/domain/tasks/Task"
import { Context, Effect, Layer, type Option, Schema } from "effect"
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

export interface EffectPermission {
  readonly granted: boolean
  /** Why not; empty where it is granted. */
  readonly reason: string
}

/** A task as the effects of its kind see it. */
export type EffectTask = Pick<TaskLease, "task_id" | "organization_id" | "user_id" | "payload" | "private_input" | "attempt">

/** What a kind makes of a failed attempt; whatever is left out stays as it was reported. */
export interface FailureVerdict {
  readonly retryable?: boolean
  /** Milliseconds that a further attempt waits at least. */
  readonly retry_after?: number
  /** False: it did not use up one of the policy's tries, and waits exactly `retry_after`. */
  readonly counted?: boolean
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
    task: EffectTask,
    result: string
  ) => Effect.Effect<string, InvalidResult | OutcomeEffectError | SqlError>
  /**
   * A worker is about to do what cannot be undone: recorded for good before this answers, and granted to one attempt, unless
   * that one has said that it did not happen. Asked again by the same attempt, it answers the same.
   */
  readonly begin?: (lease: TaskLease) => Effect.Effect<EffectPermission, SqlError>
  /** What a reported failure means, before it is decided what follows. */
  readonly judge?: (failure: FailureTerms) => FailureVerdict
  /** Runs in the transaction that notes what a worker reported as a failure. `final`: there will be no further attempt. */
  readonly onFailed?: (
    task: EffectTask,
    failure: FailureTerms & { readonly message: string; readonly final: boolean }
  ) => Effect.Effect<void, SqlError>
  /** Runs inside the transaction that ends the task in any way, after `onCompleted`. */
  readonly onEnded?: (task: EffectTask, state: "completed" | "failed" | "cancelled" | "expired") => Effect.Effect<void, SqlError>
  /** Keeps a part that a worker hands in while it holds the task; the same part may come twice, and from an attempt that is just over. */
  readonly onPart?: (lease: TaskLease, part: string) => Effect.Effect<void, InvalidResult | SqlError>
  /** What a worker may read, as JSON text, while it holds the task. */
  readonly data?: (lease: TaskLease) => Effect.Effect<string, OutcomeEffectError | SqlError>
  /** Likewise what is too large for that, piece by piece; none where there is no such piece, or none any more. At most 4 MiB each. */
  readonly dataPart?: (lease: TaskLease, piece: { readonly name: string; readonly index: number }) => Effect.Effect<Option.Option<Uint8Array>, SqlError>
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
