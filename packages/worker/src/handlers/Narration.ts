/**
 * What INSIGHT_GENERATION and WEEKLY_REPORT have in common: fetch the facts, have them narrated, hand in the draft. Which
 * entries count and what the figures are, the API has decided before; the figure check follows there, too.
 */
import { type InsightDraft, NarrationInput } from "@englog/domain/insights/Insight"
import { Effect, Schema } from "effect"
import { InsightWriter } from "../llm/InsightWriter.ts"
import { notUnderstood, type TaskContext, type TaskFailure } from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(NarrationInput))

export interface NarrationMessages {
  readonly started: string
  readonly completed: string
}

export const make = Effect.map(
  InsightWriter,
  (writer) =>
    Effect.fnUntraced(function*(context: TaskContext, messages: NarrationMessages): Effect.fn.Return<InsightDraft, TaskFailure> {
      yield* context.progress(25, messages.started)
      const input = yield* Effect.flatMap(context.data, decode).pipe(
        Effect.catchTag("SchemaError", (cause) =>
          Effect.fail(notUnderstood(cause)))
      )
      yield* context.progress(50, `Narrating ${input.sheet.facts.length} facts about ${input.entry_count} entries`)
      const draft = yield* writer.write(input, context.timeLeft)
      // Seed 000's line.
      yield* context.note({
        operation: "ai_generation_completed",
        ai_model: draft.model ?? "unknown",
        source: draft.source ?? "unknown",
        confidence_score: draft.confidence
      })
      yield* context.progress(100, messages.completed)
      return draft
    })
)
