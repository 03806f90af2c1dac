/** What a thread of DocumentThreads is asked. */
import { Schema } from "effect"
import { Segment } from "./Markdown.ts"
import { WholeFormat } from "./ParseDocument.ts"

export const Question = Schema.Union([
  Schema.TaggedStruct("Whole", { format: WholeFormat, bytes: Schema.Uint8Array }),
  Schema.TaggedStruct("Segment", Segment.fields)
])
export type Question = typeof Question.Type
