/** Calendar feeds in the REST and the RPC contract. */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { FeedDisclosure } from "@englog/domain/exports/CalendarFeed"
import { FeedId, ProjectId } from "@englog/domain/Ids"
import { Effect, Schema } from "effect"
import { SearchText } from "./EntriesApi.ts"
import { Page } from "./Page.ts"
import { TrimmedText } from "./PlainText.ts"
import { TagList } from "./TagList.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** As the filters of a list of entries: all that are given must hold. */
export const FeedFilter = Schema.Struct({
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate),
  type: Schema.optionalKey(ActivityType),
  project_id: Schema.optionalKey(ProjectId),
  tags: Schema.optionalKey(TagList),
  value_rating: Schema.optionalKey(ValueRating),
  impact_level: Schema.optionalKey(ImpactLevel),
  q: Schema.optionalKey(SearchText)
}).check(inOrder("start_date", "end_date"))
export type FeedFilter = typeof FeedFilter.Type

export const FeedPayload = Schema.Struct({
  name: TrimmedText({ min: 1, max: 100 }),
  disclosure: FeedDisclosure.annotate({
    default: "busy",
    description: "`busy`: from when to when. `titles`: also the title and the type. `details`: also description, project and tags."
  }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("busy" as const))),
  filter: FeedFilter.pipe(Schema.withDecodingDefaultKey(Effect.succeed({})))
}).annotate({ identifier: "FeedPayload" })
export type FeedPayload = typeof FeedPayload.Type

const feed = {
  id: FeedId,
  name: Schema.String,
  disclosure: FeedDisclosure,
  filter: FeedFilter,
  created_at: Schema.DateTimeUtcFromString,
  /** To the minute. */
  last_read_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}

export class CalendarFeed extends Schema.Class<CalendarFeed>("CalendarFeed")(feed) {}

/** With its secret address, which is told this once. Over RPC, which knows no address of the server, it is the path only. */
export class NewCalendarFeed extends Schema.Class<NewCalendarFeed>("NewCalendarFeed")({ ...feed, url: Schema.String }) {}

export const FeedPage = Page(CalendarFeed).annotate({ identifier: "FeedPage" })
