/** Handles CLEANUP: learns what is old enough and hands it in; what is removed, the API removes when it accepts the outcome. */
import { Cleanup, CleanupInput } from "@englog/domain/tasks/Cleanup"
import { Effect, Schema } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(CleanupInput))

export const cleanup = Effect.succeed(TaskHandler.make(Cleanup, ({ dry_run = false }, context) =>
  Effect.gen(function*() {
    yield* context.progress(10, "Counting what was kept long enough")
    const found = yield* Effect.flatMap(context.data, decode).pipe(
      Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause)))
    )
    const records = found.tables.reduce((sum, { rows }) => sum + rows, 0)
    yield* context.progress(90, `${records} ${records === 1 ? "record is" : "records are"} old enough`)
    return { dry_run, ...found }
  })))
