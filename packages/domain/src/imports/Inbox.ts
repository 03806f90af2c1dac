/** The inbox: what was imported and waits for its owner, day by day, beside what is recorded already. */
import { Schema } from "effect"
import { ActivityType, ImpactLevel } from "../entries/LogEntry.ts"
import { EntryId, ImportId, ProjectId, ProposalId } from "../Ids.ts"

const Instant = Schema.DateTimeUtcFromString

/** Something else at the same time. */
export const Overlap = Schema.Struct({
  proposal_id: Schema.NullOr(ProposalId),
  entry_id: Schema.NullOr(EntryId),
  minutes: Schema.Int
}).annotate({ identifier: "Overlap" })
export type Overlap = typeof Overlap.Type

export class Proposal extends Schema.Class<Proposal>("Proposal")({
  id: ProposalId,
  import_id: Schema.NullOr(ImportId),
  source: Schema.String,
  source_id: Schema.String,
  entry_id: Schema.NullOr(EntryId).annotate({
    description: "The entry that was made of it: this proposes to correct it, or to delete it where `removed`."
  }),
  removed: Schema.Boolean.annotate({ description: "Cancelled, declined or gone in its source." }),
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  impact_level: ImpactLevel,
  tags: Schema.Array(Schema.String),
  project: Schema.NullOr(Schema.String).annotate({ description: "Name of a project in its source." }),
  project_id: Schema.NullOr(ProjectId).annotate({ description: "Your project of that name, if there is exactly one." }),
  start_time: Instant,
  end_time: Instant,
  duration_minutes: Schema.Int,
  all_day: Schema.Boolean,
  needs_times: Schema.Boolean.annotate({
    description: "All day long, or longer than 24 hours: it is on no timeline, and to accept it takes a start_time and an end_time."
  }),
  overlaps: Schema.Array(Overlap).annotate({ description: "The first 20 of them." }),
  updated_at: Instant
}) {}

export const RecordedEntry = Schema.Struct({
  id: EntryId,
  title: Schema.String,
  start_time: Instant,
  end_time: Schema.NullOr(Instant)
}).annotate({ identifier: "RecordedEntry" })
export type RecordedEntry = typeof RecordedEntry.Type

export const Gap = Schema.Struct({ start_time: Instant, end_time: Instant, minutes: Schema.Int }).annotate({ identifier: "Gap" })
export type Gap = typeof Gap.Type

export const InboxDay = Schema.Struct({
  /** A local day of the user. */
  date: Schema.String,
  proposals: Schema.Array(Proposal).annotate({ description: "Those that start on this day, in the order of their start." }),
  entries: Schema.Array(RecordedEntry).annotate({ description: "Recorded already: those that have some of their time on this day." }),
  gaps: Schema.Array(Gap).annotate({ description: "Between the first and the last of them, where there is neither entry nor proposal." }),
  more: Schema.Boolean.annotate({ description: "More proposals start on this day than are shown: decide about these first." })
}).annotate({ identifier: "InboxDay" })
export type InboxDay = typeof InboxDay.Type
