/**
 * A log entry as it is written, by REST and RPC alike (seed 004, `LogEntryCreate`): limits, defaults, normalization.
 */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { ProjectId } from "@englog/domain/Ids"
import { DateTime, Duration, Effect, Schema } from "effect"
import { NormalizedText, PlainText, TrimmedText } from "./PlainText.ts"
import { readOnlyEntryFields } from "./ReadOnlyFields.ts"
import { Instant } from "./Times.ts"

/** More is a mistake; what runs for longer cannot be stopped as it is either. */
export const longest = Duration.days(366)

const Tags = Schema.Array(NormalizedText({ min: 1, max: 50 })).check(
  Schema.makeFilter<ReadonlyArray<string>>((tags) => tags.length <= 50 ? undefined : "must hold at most 50 tags", {
    expected: "at most 50 tags",
    toJsonSchema: () => ({ maxItems: 50 })
  })
)

/** What it is about, without its time. */
const subject = {
  title: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  type: ActivityType,
  project_id: Schema.optionalKey(Schema.NullOr(ProjectId)),
  tags: Tags.pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  value_rating: ValueRating.annotate({ default: "medium" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("medium" as const))),
  impact_level: ImpactLevel.annotate({ default: "personal" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("personal" as const)))
}

export const EntryPayload = Schema.Struct({
  ...subject,
  start_time: Instant,
  end_time: Schema.NullOr(Instant).annotate({ description: "null: the entry is running." }),
  ...readOnlyEntryFields
}).check(
  Schema.makeFilter((entry: { readonly start_time: DateTime.Utc; readonly end_time: DateTime.Utc | null }) => {
    if (entry.end_time === null) return undefined
    if (!DateTime.isGreaterThan(entry.end_time, entry.start_time)) {
      return { path: ["end_time"], issue: "must be after start_time" }
    }
    return Duration.isGreaterThan(DateTime.distance(entry.start_time, entry.end_time), longest)
      ? { path: ["end_time"], issue: "must be at most 366 days after start_time" }
      : undefined
  }, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "EntryPayload" })

export type EntryPayload = typeof EntryPayload.Type

/** What begins now. */
export const EntryStart = Schema.Struct(subject).annotate({ identifier: "EntryStart" })

export type EntryStart = typeof EntryStart.Type
