import type { InsightDraft, NarrationInput } from "@englog/domain/insights/Insight"
import { Schema } from "effect"
export const InsightAnswer = Schema.Struct({ content: Schema.NonEmptyString, tags: Schema.Array(Schema.String), confidence: Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 }))) })
export const buildPrompt = (input: NarrationInput) => ({ system: "You narrate.", user: JSON.stringify(input.insight_type), version: "0" })
export const narrate = (input: NarrationInput): InsightDraft => ({ content: `${input.entry_count} entries`, tags: [input.insight_type], confidence: 0.5 })
