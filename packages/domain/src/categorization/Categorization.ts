/**
 * Categorization: which type and which tags an entry might have. A proposal changes nothing; its owner accepts or rejects it.
 */
import { Schema } from "effect"
import { ActivityType } from "../entries/LogEntry.ts"
import { EntryId } from "../Ids.ts"

/** Tags proposed for one entry at most. */
export const MAX_PROPOSED_TAGS = 5

/** An entry as far as whoever categorizes it may see it. */
export const UncategorizedEntry = Schema.Struct({
  id: EntryId,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  project_name: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String)
})
export type UncategorizedEntry = typeof UncategorizedEntry.Type

/** All that a worker sees of a user's data for this kind. */
export const CategorizationInput = Schema.Struct({
  entries: Schema.Array(UncategorizedEntry),
  /** The user's own and the predefined ones, the most used first; no others may be proposed. */
  tags: Schema.Array(Schema.String)
})
export type CategorizationInput = typeof CategorizationInput.Type

export const Proposal = Schema.Struct({
  entry_id: EntryId,
  type: ActivityType,
  tags: Schema.Array(Schema.String.check(Schema.isMaxLength(100))).check(Schema.isMaxLength(50))
})
export type Proposal = typeof Proposal.Type

/** What a worker hands in. */
export const Proposals = Schema.Struct({
  proposals: Schema.Array(Proposal).check(Schema.isMaxLength(1_000)),
  /** `builtin`: by the rules of Rules.ts. */
  model: Schema.String.check(Schema.isMaxLength(200)),
  source: Schema.Literals(["model", "builtin"]),
  /** Why the source is not the model, in a sentence, where one was configured. */
  fallback_reason: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(1_000)))
})
export type Proposals = typeof Proposals.Type
