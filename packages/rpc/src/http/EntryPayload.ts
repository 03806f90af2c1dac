/**
 * A log entry as it is written, by REST and RPC alike (seed 004, `LogEntryCreate`): limits, defaults, normalization.
 */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { ProjectId } from "@englog/domain/Ids"
import { DateTime, Duration, Effect, Schema } from "effect"
import { NormalizedText, PlainText, TrimmedText } from "./PlainText.ts"
import { readOnlyEntryFields } from "./ReadOnlyFields.ts"
import { Instant } from "./Times.ts"

const longest = Duration.days(366)

const Tags = Schema.Array(NormalizedText({ min: 1, max: 50 })).check(
  Schema.makeFilter<ReadonlyArray<string>>((tags) => tags.length <= 50 ? undefined : "must hold at most 50 tags", {
    expected: "at most 50 tags",
    toJsonSchema: () => ({ maxItems: 50 })
  })
)

export const EntryPayload = Schema.Struct({
  title: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  type: ActivityType,
  project_id: Schema.optionalKey(Schema.NullOr(ProjectId)),
  tags: Tags.pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  start_time: Instant,
  end_time: Instant,
  value_rating: ValueRating.annotate({ default: "medium" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("medium" as const))),
  impact_level: ImpactLevel.annotate({ default: "personal" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("personal" as const))),
  ...readOnlyEntryFields
}).check(
  Schema.makeFilter((entry: { readonly start_time: DateTime.Utc; readonly end_time: DateTime.Utc }) => {
    if (!DateTime.isGreaterThan(entry.end_time, entry.start_time)) {
      return { path: ["end_time"], issue: "must be after start_time" }
    }
    return Duration.isGreaterThan(DateTime.distance(entry.start_time, entry.end_time), longest)
      ? { path: ["end_time"], issue: "must be at most 366 days after start_time" }
      : undefined
  }, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "EntryPayload" })

export type EntryPayload = typeof EntryPayload.Type
