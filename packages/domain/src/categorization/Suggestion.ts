/** A proposal for one entry that waits for its owner's decision. */
import { Schema } from "effect"
import { ActivityType } from "../entries/LogEntry.ts"
import { EntryId, SuggestionId, TaskId } from "../Ids.ts"

export class Suggestion extends Schema.Class<Suggestion>("Suggestion")({
  id: SuggestionId,
  entry_id: EntryId,
  /** The title as it is now. */
  entry_title: Schema.String,
  task_id: TaskId,
  /** Another type than the entry has; null: none is proposed. */
  type: Schema.NullOr(ActivityType),
  /** To be added; the entry has none of them. */
  tags: Schema.Array(Schema.String),
  /** Who proposes it; `builtin` for the built-in rules. */
  model: Schema.String,
  /** The entry has changed since: it can only be rejected. */
  stale: Schema.Boolean,
  created_at: Schema.DateTimeUtcFromString
}) {}
