/** The nine metrics of a user over their last 30 local days, as they were computed last. */
import { Schema } from "effect"
import { ProductivityMetrics } from "../facts/Fact.ts"

export class UserMetrics extends Schema.Class<UserMetrics>("UserMetrics")({
  /** Local days, `YYYY-MM-DD`, both inclusive. */
  period_start: Schema.String,
  period_end: Schema.String,
  minutes: Schema.Int,
  entries: Schema.Int,
  /** Null without entries. */
  metrics: Schema.NullOr(ProductivityMetrics),
  computed_at: Schema.DateTimeUtcFromString,
  /** Entries have changed since: they are being computed anew. */
  stale: Schema.Boolean
}) {}
