/** ENTRY_CATEGORIZATION (seed 004, "Smart activity categorization"): proposals of type and tags for some entries. */
import { Schema } from "effect"
import { Proposals } from "../categorization/Categorization.ts"
import { EntryId, UserId } from "../Ids.ts"
import * as TaskKind from "./TaskKind.ts"
import { narrationPolicy } from "./TaskPolicy.ts"

export const EntryCategorization = TaskKind.make({
  kind: "ENTRY_CATEGORIZATION",
  payload: Schema.Struct({ user_id: UserId, entry_ids: Schema.Array(EntryId) }),
  result: Proposals,
  // Like a narration: the handler falls back by itself.
  policy: narrationPolicy,
  submittedBy: "/v1/suggestions"
})
