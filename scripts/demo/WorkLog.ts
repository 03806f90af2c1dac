/**
 * A work log as a file: who worked, and what they did. Entries are those of `POST /v1/logs`, with the project by name.
 */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { Instant } from "@englog/rpc/http/Times"
import { Effect, FileSystem, Schema } from "effect"
import { DemoError } from "./DemoError.ts"

const defaulted = <S extends Schema.Top & { readonly "~type.optionality": "required" }>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

export const WorkLogEntry = Schema.Struct({
  project: defaulted(Schema.NullOr(Schema.String), null),
  title: Schema.String,
  description: defaulted(Schema.NullOr(Schema.String), null),
  type: ActivityType,
  tags: defaulted(Schema.Array(Schema.String), []),
  start_time: Instant,
  end_time: Instant,
  value_rating: defaulted(ValueRating, "medium"),
  impact_level: defaulted(ImpactLevel, "personal")
})
export type WorkLogEntry = typeof WorkLogEntry.Type

export const WorkLog = Schema.Struct({
  engineer: Schema.Struct({
    first_name: Schema.String,
    last_name: Schema.String,
    /** IANA zone; decides what a day and an hour mean. */
    timezone: defaulted(Schema.String, "UTC")
  }),
  entries: Schema.Array(WorkLogEntry)
})
export type WorkLog = typeof WorkLog.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(WorkLog), { onExcessProperty: "error" })

export const readWorkLog = Effect.fn("WorkLog.read")(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file).pipe(
    Effect.mapError((error) =>
      new DemoError({ message: error.reason._tag === "NotFound" ? `there is no file ${file}` : `${file} cannot be read: ${error.message}` }))
  )
  const log = yield* decode(text).pipe(
    Effect.mapError((error) => new DemoError({ message: `${file} is not a work log: ${error.message.replace(/\s*\n\s*/g, " ")}` }))
  )
  return log.entries.length === 0 ? yield* new DemoError({ message: `${file} has no entries` }) : log
})
