/** INSIGHT_GENERATION (seeds 000, 001): an insight about chosen entries. */
import { Schema } from "effect"
import { EntryId, UserId } from "../Ids.ts"
import { InsightDraft } from "../insights/Insight.ts"
import * as TaskKind from "./TaskKind.ts"
import { narrationPolicy } from "./TaskPolicy.ts"

export const InsightGeneration = TaskKind.make({
  kind: "INSIGHT_GENERATION",
  payload: Schema.Struct({
    user_id: UserId,
    entry_ids: Schema.Array(EntryId),
    insight_type: Schema.String
  }),
  result: InsightDraft,
  policy: narrationPolicy,
  submittedBy: "/v1/tasks/insights"
})
