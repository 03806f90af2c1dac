/** Handles CLEANUP: learns what is old enough and hands it in; what is removed, the API removes when it accepts the outcome. */
import { Cleanup, CleanupCounts } from "@englog/domain/tasks/Cleanup"
import { Effect, Schema } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(CleanupCounts))

export const cleanup = Effect.succeed(TaskHandler.make(Cleanup, ({ dry_run = false }, context) =>
  Effect.gen(function*() {
    yield* context.progress(10, "Counting what ended long ago")
    const removed = yield* Effect.flatMap(context.data, decode).pipe(
      Effect.catchTag("SchemaError", (cause) =>
        Effect.fail(
          new TaskHandler.TaskFailure({ message: "the API server sent task data that this worker does not understand; update the worker", cause })
        ))
    )
    const records = removed.completed + removed.failed + removed.cancelled
    yield* context.progress(90, `${records} ${records === 1 ? "record is" : "records are"} old enough`)
    return { dry_run, removed }
  })))
