/**
 * A log entry as it is written, by REST and RPC alike (seed 004, `LogEntryCreate`): limits, defaults, normalization.
 */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { ProjectId } from "@englog/domain/Ids"
import { DateTime, Duration, Effect, Schema } from "effect"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { readOnlyEntryFields } from "./ReadOnlyFields.ts"
import { TagList } from "./TagList.ts"
import { Instant } from "./Times.ts"

/** More is a mistake; what runs for longer cannot be stopped as it is either. */
export const longest = Duration.days(366)

/** What it is about, without its time. */
export const subject = {
  title: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  type: ActivityType,
  project_id: Schema.optionalKey(Schema.NullOr(ProjectId)),
  tags: TagList.pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  value_rating: ValueRating.annotate({ default: "medium" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("medium" as const))),
  impact_level: ImpactLevel.annotate({ default: "personal" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("personal" as const)))
}

interface Times {
  readonly start_time: DateTime.Utc
  readonly end_time: DateTime.Utc | null
}

export const timesProblem = ({ end_time, start_time }: Times) => {
  if (end_time === null) return undefined
  if (!DateTime.isGreaterThan(end_time, start_time)) return { path: ["end_time"], issue: "must be after start_time" }
  return Duration.isGreaterThan(DateTime.distance(start_time, end_time), longest)
    ? { path: ["end_time"], issue: "must be at most 366 days after start_time" }
    : undefined
}

export const EntryPayload = Schema.Struct({
  ...subject,
  start_time: Instant,
  end_time: Schema.NullOr(Instant).annotate({ description: "null: the entry is running." }),
  ...readOnlyEntryFields
}).check(
  Schema.makeFilter(timesProblem, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "EntryPayload" })

export type EntryPayload = typeof EntryPayload.Type

/** What begins now. */
export const EntryStart = Schema.Struct(subject).annotate({ identifier: "EntryStart" })

export type EntryStart = typeof EntryStart.Type
