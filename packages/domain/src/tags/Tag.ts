/**
 * What entries are told apart by (seed 004, "Intelligent Tagging System"): one's own, or a predefined one that all share and
 * nobody changes.
 */
import { Schema } from "effect"
import { TagId } from "../Ids.ts"

export class Tag extends Schema.Class<Tag>("Tag")({
  id: TagId,
  /** In lower case; unique among what one sees. */
  name: Schema.String,
  category: Schema.NullOr(Schema.String),
  /** `#rrggbb`, in lower case. */
  color: Schema.NullOr(Schema.String),
  predefined: Schema.Boolean,
  /** Of the caller's entries, how many have it. */
  usage_count: Schema.Int,
  created_at: Schema.DateTimeUtcFromString,
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}
