/** Handles DOCUMENT_BATCH: it starts when its documents are done, and says what they came to. */
import { BatchSummary, DocumentBatch } from "@englog/domain/tasks/DocumentBatch"
import { Effect, Schema } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(BatchSummary))

export const documentBatch = Effect.succeed(TaskHandler.make(DocumentBatch, (_payload, context) =>
  Effect.flatMap(context.data, decode).pipe(Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause))))))
