/** Handles INSIGHT_GENERATION. Progress and its messages are those of seed 000. */
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import { Effect } from "effect"
import * as Narration from "./Narration.ts"
import * as TaskHandler from "./TaskHandler.ts"

export const insightGeneration = Effect.map(Narration.make, (narrate) =>
  TaskHandler.make(InsightGeneration, (_payload, context) =>
    narrate(context, { started: "Starting AI insight generation", completed: "Insight generation completed" })))
