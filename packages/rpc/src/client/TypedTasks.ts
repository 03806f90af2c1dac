/**
 * Background tasks typed by their kind: a payload that does not fit is a mistake of the compiler's, and a result comes back as
 * what the kind says that it is.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { TaskKind } from "@englog/domain/tasks/TaskKind"
import { FailureReason, PublicTaskState } from "@englog/domain/tasks/TaskState"
import { Effect, Schema, Stream } from "effect"
import type { RpcClient, RpcClientError } from "effect/rpc"
import type { TaskRequest } from "../http/TaskRequest.ts"
import type { TaskStep } from "../http/TaskView.ts"
import type { EngLogRpcs } from "../rpc/EngLogRpcs.ts"
import { rpcFailure, type RpcFailure } from "../rpc/RpcFailure.ts"

type Codec = Schema.Codec<unknown, unknown>

/** What has to be known of a kind to submit it. */
export type SubmittedKind<Payload extends Codec, Result extends Codec> = Pick<TaskKind<string, Payload, Result>, "kind" | "payload" | "result">

/** Everything that a request may say beside kind and payload. */
export type TaskOptions = Omit<TaskRequest, "task_type" | "payload">

/** The task ended without a result; `error` says why. */
export class TaskNotCompleted extends Schema.TaggedError<TaskNotCompleted>()("TaskNotCompleted", {
  task_id: Schema.String,
  state: PublicTaskState,
  reason: Schema.NullOr(FailureReason),
  error: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return `task ${this.task_id} is ${this.state}: ${this.error ?? "no reason was given"}`
  }
}

export type CallFailure = RpcFailure | RpcClientError.RpcClientError

export interface SubmittedTask<Result> {
  readonly task_id: TaskId
  /** Every step from the first, until the task has ended. */
  readonly steps: Stream.Stream<TaskStep, CallFailure>
  /** Waits for the end. */
  readonly result: Effect.Effect<Result, CallFailure | TaskNotCompleted>
}

export interface TypedTasks {
  readonly submit: <Payload extends Codec, Result extends Codec>(
    kind: SubmittedKind<Payload, Result>,
    payload: Payload["Type"],
    options?: TaskOptions
  ) => Effect.Effect<SubmittedTask<Result["Type"]>, CallFailure>
  /** A task that was submitted earlier, by its id. */
  readonly submitted: <Payload extends Codec, Result extends Codec>(
    kind: SubmittedKind<Payload, Result>,
    task_id: TaskId
  ) => SubmittedTask<Result["Type"]>
}

/** The body of a request, for REST and RPC alike. */
export const taskRequest = <Payload extends Codec, Result extends Codec>(
  kind: SubmittedKind<Payload, Result>,
  payload: Payload["Type"],
  options: TaskOptions = {}
): Effect.Effect<TaskRequest, Schema.SchemaError> =>
  Schema.encodeEffect(Schema.toCodecJson(kind.payload))(payload).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Schema.Json)),
    Effect.map((encoded) => ({ ...options, task_type: kind.kind, payload: encoded }))
  )

type Calls = Pick<RpcClient.FromGroup<typeof EngLogRpcs, RpcClientError.RpcClientError>, "SubmitTask" | "WatchTask" | "GetBackgroundTask">

export const typedTasks = (calls: Calls): TypedTasks => {
  const submitted: TypedTasks["submitted"] = (kind, task_id) => {
    const steps = calls.WatchTask({ task_id })
    const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(kind.result))
    return {
      task_id,
      steps,
      result: Effect.gen(function*() {
        yield* Stream.runDrain(steps)
        const { error, reason, result, state } = yield* calls.GetBackgroundTask({ task_id })
        if (state !== "completed") return yield* new TaskNotCompleted({ task_id, state, reason, error })
        return yield* decode(result).pipe(
          Effect.mapError(({ message }) =>
            new TaskNotCompleted({ task_id, state, reason, error: `its result does not fit ${kind.kind}: ${message}` }))
        )
      })
    }
  }
  return {
    submitted,
    submit: (kind, payload, options) =>
      taskRequest(kind, payload, options).pipe(
        Effect.mapError(({ message }) => rpcFailure({ reason: "bad_request", message: `payload: ${message}` })),
        Effect.flatMap((request) => calls.SubmitTask(request)),
        Effect.map(({ task_id }) => submitted(kind, task_id))
      )
  }
}
