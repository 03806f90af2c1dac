/**
 * What runs a task of one kind. Handlers know neither gRPC nor retries between workers: they get a payload and a context,
 * and succeed with the result or fail with a reason that its owner may read.
 */
import type { TaskKind } from "@englog/domain/tasks/TaskKind"
import type { EffectPermission, KindAnnouncement, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { type Duration, Effect, Option, Schema } from "effect"

/** The attempt failed. `message` is shown to the task's owner: no secrets, no internals. */
export class TaskFailure extends Schema.TaggedError<TaskFailure>()("TaskFailure", {
  message: Schema.String,
  /** False: no further attempt can succeed, whatever the kind's retry policy says. Default true. */
  retryable: Schema.optionalKey(Schema.Boolean),
  /** Milliseconds before which a further attempt is useless; the retry policy may wait longer. */
  retry_after: Schema.optionalKey(Schema.Finite),
  /** What the API server keeps of a failed attempt of this kind, as JSON text of at most 100,000 bytes. */
  detail: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** What the API server says the task is about does not fit its schema. */
export const notUnderstood = (cause: Schema.SchemaError): TaskFailure =>
  new TaskFailure({ message: "the API server sent task data that this worker does not understand; update the worker", cause })

export interface TaskContext {
  /** Percent, and a line for people. Never fails: progress that cannot be sent is dropped. */
  readonly progress: (percent: number, message: string) => Effect.Effect<void>
  /** What the task needs beyond its payload, as JSON text; the API serves it only while this attempt is held. */
  readonly data: Effect.Effect<string, TaskFailure>
  /** A piece, from 0, of what is too large for that; none where there is no such piece, or it is not the task's any more. */
  readonly dataPart: (name: string, index: number) => Effect.Effect<Option.Option<Uint8Array>, TaskFailure>
  /**
   * To be asked right before what cannot be undone: the API has recorded that it is about to happen when this answers. Where it
   * is not granted, it may have happened in an earlier attempt: the handler leaves it.
   */
  readonly begin: Effect.Effect<EffectPermission, TaskFailure>
  /** Hands in a part of the result, as JSON text of at most 1 MiB, before the end: for kinds whose whole result would be too large. */
  readonly store: (part: string) => Effect.Effect<void, TaskFailure>
  /** Until the deadline, by the API server's clock. Infinite where the task has none. */
  readonly timeLeft: Effect.Effect<Duration.Duration>
  /** What the one log line about this attempt's end says as well: ids, names and figures, never text. */
  readonly note: (fields: Readonly<Record<string, string | number>>) => Effect.Effect<void>
}

export interface TaskHandler {
  readonly kind: string
  /** What the API server is told of a kind that it does not know from itself, so that it can hold submissions and results to it. */
  readonly announcement?: KindAnnouncement
  /** Succeeds with the result as JSON text. Interrupted when the task is cancelled or its deadline passes. */
  readonly run: (task: WorkerTask, context: TaskContext) => Effect.Effect<string, TaskFailure>
}

/** A handler of a kind whose payload and result have schemas: decoded before, encoded after. */
export const make = <
  Payload extends Schema.Codec<unknown, unknown>,
  Result extends Schema.Codec<unknown, unknown>
>(
  kind: Pick<TaskKind<string, Payload, Result>, "kind" | "payload" | "result"> & Partial<Pick<TaskKind<string, Payload, Result>, "policy">>,
  run: (payload: Payload["Type"], context: TaskContext, task: WorkerTask) => Effect.Effect<Result["Type"], TaskFailure>
): TaskHandler => {
  const decode = Schema.decodeEffect(Schema.fromJsonString(kind.payload))
  const encode = Schema.encodeEffect(Schema.fromJsonString(kind.result))
  return {
    kind: kind.kind,
    announcement: {
      name: kind.kind,
      payload_schema: jsonSchemaOf(kind.payload),
      result_schema: jsonSchemaOf(kind.result),
      policy: Option.fromUndefinedOr(kind.policy)
    },
    run: Effect.fnUntraced(function*(task, context) {
      const payload = yield* decode(task.payload).pipe(
        Effect.mapError((cause) => new TaskFailure({ message: `the payload does not fit ${kind.kind}: ${cause.message}`, retryable: false, cause }))
      )
      const result = yield* run(payload, context, task)
      return yield* encode(result).pipe(
        Effect.mapError((cause) => new TaskFailure({ message: `the result does not fit ${kind.kind}: ${cause.message}`, retryable: false, cause }))
      )
    })
  }
}

/** Of the JSON that travels, as JSON text. */
const jsonSchemaOf = (schema: Schema.Constraint): string => {
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema)
  return JSON.stringify(Object.keys(definitions).length === 0 ? root : { ...root, $defs: definitions })
}
