/** Handles ENTRY_CATEGORIZATION: what becomes of the proposals, the API decides when it accepts the outcome, and then the owner. */
import { CategorizationInput } from "@englog/domain/categorization/Categorization"
import { EntryCategorization } from "@englog/domain/tasks/EntryCategorization"
import { Effect, Schema } from "effect"
import { Categorizer } from "../llm/Categorizer.ts"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(CategorizationInput))

export const entryCategorization = Effect.map(Categorizer, (categorizer) =>
  TaskHandler.make(EntryCategorization, (_payload, context) =>
    Effect.gen(function*() {
      yield* context.progress(25, "Reading the entries")
      const input = yield* Effect.flatMap(context.data, decode).pipe(
        Effect.catchTag("SchemaError", (cause) =>
          Effect.fail(
            new TaskHandler.TaskFailure({ message: "the API server sent task data that this worker does not understand; update the worker", cause })
          ))
      )
      yield* context.progress(50, `Categorizing ${input.entries.length} ${input.entries.length === 1 ? "entry" : "entries"}`)
      const proposals = yield* categorizer.propose(input, context.timeLeft)
      yield* context.note({ operation: "categorization_completed", ai_model: proposals.model, source: proposals.source, entries: input.entries.length })
      yield* context.progress(100, "Categorization completed")
      return proposals
    })))
