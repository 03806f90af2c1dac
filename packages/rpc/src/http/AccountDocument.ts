/**
 * The document of an account's export, as far as an import reads it: what comes back, what does not and why
 * (docs/decisions/0042). Records are as the database has them; unknown fields are refused, so that nothing is dropped in silence.
 */
import { Fact } from "@englog/domain/facts/Fact"
import { ActivityType } from "@englog/domain/entries/LogEntry"
import { GoalMeasure } from "@englog/domain/goals/Goal"
import { EntryId, GoalId, InsightId, ProjectId, TagId, TaskId, UserId } from "@englog/domain/Ids"
import { ImportSystem } from "@englog/domain/imports/ImportedItem"
import { Citation, InsightDraft, RemovedSentence } from "@englog/domain/insights/Insight"
import { ProjectStatus } from "@englog/domain/projects/Project"
import { Locale, WeekStart } from "@englog/domain/users/Preferences"
import { WorkingHoursRequest } from "@englog/domain/users/WorkingHours"
import { TimeZone } from "@englog/domain/users/TimeZone"
import { InsightBasis } from "@englog/domain/verification/InsightBasis"
import { DateTime, Schema } from "effect"
import { ExportRecord } from "./AccountView.ts"
import { MEBIBYTE } from "./BodyLimit.ts"
import { Color } from "./Color.ts"
import { subject, timesProblem } from "./EntryPayload.ts"
import { GoalTarget, withinGoalDays } from "./GoalsApi.ts"
import { NormalizedText, PlainText, TrimmedText } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import { TagName } from "./TagsApi.ts"
import { inOrder, InstantText, LocalDate } from "./Times.ts"

/** Of the document. Another one is refused: what it means is not known here. */
export const DOCUMENT_VERSION = 1

/** Some 50,000 entries with descriptions and the tasks about them. */
export const MAX_DOCUMENT_BYTES = 64 * MEBIBYTE

const Version = Schema.Literal(DOCUMENT_VERSION).annotate({ description: "Of the document's form." })

const times = { created_at: InstantText, updated_at: InstantText }

export const ExportedProfile = Schema.Struct({
  id: UserId,
  first_name: TrimmedText({ min: 1, max: 100 }),
  last_name: TrimmedText({ min: 1, max: 100 }),
  timezone: TimeZone,
  preferences: Schema.Struct({
    locale: Schema.optionalKey(Locale),
    week_start: Schema.optionalKey(WeekStart),
    email_report_ready: Schema.optionalKey(Schema.Boolean),
    weekly_report: Schema.optionalKey(Schema.Boolean),
    team_notifications: Schema.optionalKey(Schema.Boolean),
    email_team_notifications: Schema.optionalKey(Schema.Boolean),
    working_hours: Schema.optionalKey(Schema.NullOr(WorkingHoursRequest))
  }),
  email: ignored,
  is_admin: ignored,
  last_login_at: ignored,
  created_at: ignored,
  updated_at: ignored
}).annotate({ identifier: "ExportedProfile" })

export const ExportedTag = Schema.Struct({
  id: TagId,
  user_id: ignored,
  name: TagName,
  category: Schema.NullOr(NormalizedText({ min: 1, max: 50 })),
  color: Schema.NullOr(Color),
  created_at: InstantText
}).annotate({ identifier: "ExportedTag" })

const project = {
  id: ProjectId,
  name: TrimmedText({ min: 1, max: 200 }),
  status: ProjectStatus,
  color: Schema.NullOr(Color),
  start_date: Schema.NullOr(LocalDate),
  end_date: Schema.NullOr(LocalDate),
  archived_at: Schema.NullOr(InstantText),
  ...times
}

export const ExportedProject = Schema.Struct({
  ...project,
  description: Schema.NullOr(PlainText({ max: 2000 })),
  organization_id: ignored,
  created_by: ignored
}).check(inOrder("start_date", "end_date")).annotate({ identifier: "ExportedProject" })

/** One of somebody else's that own entries or goals are linked to. */
export const ExportedTeamProject = Schema.Struct(project).check(inOrder("start_date", "end_date")).annotate({ identifier: "ExportedTeamProject" })

export const ExportedDefaultProject = Schema.Struct({ user_id: ignored, project_id: ProjectId }).annotate({ identifier: "ExportedDefaultProject" })

export const ExportedGoal = Schema.Struct({
  id: GoalId,
  user_id: ignored,
  title: TrimmedText({ min: 1, max: 200 }),
  description: Schema.NullOr(PlainText({ max: 2000 })),
  measure: GoalMeasure,
  target: GoalTarget,
  start_date: LocalDate,
  end_date: LocalDate,
  activity_types: Schema.NullOr(Schema.Array(ActivityType)),
  any_tag: Schema.Boolean,
  any_project: Schema.Boolean,
  tags: Schema.Array(TagName),
  projects: Schema.Array(ProjectId),
  ...times
}).check(
  inOrder("start_date", "end_date"),
  withinGoalDays
).annotate({ identifier: "ExportedGoal" })

interface EntryTimes {
  readonly start_time: string
  readonly end_time: string | null
}

export const ExportedEntry = Schema.Struct({
  ...subject,
  id: EntryId,
  user_id: ignored,
  start_time: InstantText,
  end_time: Schema.NullOr(InstantText),
  duration_minutes: ignored,
  source: Schema.NullOr(ImportSystem),
  source_id: Schema.NullOr(PlainText({ min: 1, max: 1_200 })),
  ...times
}).check(
  Schema.makeFilter(({ end_time, start_time }: EntryTimes) =>
    timesProblem({ start_time: DateTime.makeUnsafe(start_time), end_time: end_time === null ? null : DateTime.makeUnsafe(end_time) }), {
    toJsonSchema: () => [{}, true]
  }),
  Schema.makeFilter(({ source, source_id }: { readonly source: string | null; readonly source_id: string | null }) =>
    (source === null) === (source_id === null) ? undefined : { path: ["source_id"], issue: "must be given with source, and null without" }, {
    toJsonSchema: () => [{}, true]
  })
).annotate({ identifier: "ExportedEntry" })

const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }, { expected: "a whole number from 0 to 2147483647" }))

export const ExportedInsight = Schema.Struct({
  id: InsightId,
  task_id: TaskId,
  user_id: ignored,
  organization_id: ignored,
  insight_type: Schema.String,
  period_start: LocalDate,
  period_end: LocalDate,
  project_ids: Schema.NullOr(Schema.Array(ProjectId)),
  content: Schema.String,
  tags: Schema.Array(Schema.String),
  confidence: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }, { expected: "from 0 to 1" })),
  model: Schema.String,
  prompt_version: Schema.String,
  source: Schema.Literals(["model", "cache", "builtin"]),
  fallback_reason: Schema.NullOr(Schema.String),
  facts: Schema.Array(Fact),
  citations: Schema.Array(Citation),
  removed: Schema.Array(RemovedSentence),
  entry_count: Count,
  draft: InsightDraft,
  basis: Schema.NullOr(InsightBasis),
  created_at: InstantText
}).check(inOrder("period_start", "period_end")).annotate({ identifier: "ExportedInsight" })

/** What comes back, in the order in which it is written. */
export const restoredSections = {
  user_profile: ExportedProfile,
  tags: ExportedTag,
  projects: ExportedProject,
  team_projects: ExportedTeamProject,
  default_project: ExportedDefaultProject,
  goals: ExportedGoal,
  log_entries: ExportedEntry,
  insights: ExportedInsight
} as const

export type RestoredSection = keyof typeof restoredSections

/** What does not come back, and why. */
export const leftOutSections = {
  organizations: "teams are not an account's own: their administrators invite you again",
  shared_projects: "shares are given within a team",
  sent_invitations: "their links were sent by the account that made them",
  imports: "records of what was read; import again where something is to be read again",
  proposals: "what waited in the inbox is known by digests of the server that read it; import again",
  suggestions: "they were for entries as they stood; ask again",
  mail_deliveries: "records of letters that were sent",
  notifications: "they told of what happened in the other account",
  user_metrics: "are computed anew from the entries",
  documents: "only their titles and sizes are in an export; submit them again",
  document_uploads: "submit the documents again",
  document_upload_parts: "submit the documents again; you may take these parts out of the file, which they make large",
  pdf_exports: "their files are not in an export; make them again",
  schedules: "they would start work by themselves; make them again",
  tasks: "records of work that the server did",
  open_tasks: "work of the other account that goes on there, or has ended",
  task_events: "records of work that the server did",
  webhooks: "their signing secrets are told once and are in no export; register them again",
  webhook_deliveries: "records of messages that were sent",
  webhook_attempts: "records of messages that were sent",
  sessions: "a login is good for the account that it was made for",
  api_tokens: "tokens are secrets that are told once and are in no export; make new ones",
  calendar_feeds: "the address of a feed is a secret that is told once and is in no export; make new ones",
  security_events: "the audit log tells what happened to the other account",
  email_changes: "the address that was to be confirmed was the other account's",
  scheduled_deletions: "it was the other account that was to go"
} as const

export type LeftOutSection = keyof typeof leftOutSections

const LeftOut = Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Json))).pipe(Schema.annotateKey({ description: "Does not come back; the answer says why." }))
const everyLeftOut: Readonly<Record<LeftOutSection, typeof LeftOut>> = {
  organizations: LeftOut,
  shared_projects: LeftOut,
  sent_invitations: LeftOut,
  imports: LeftOut,
  proposals: LeftOut,
  suggestions: LeftOut,
  mail_deliveries: LeftOut,
  notifications: LeftOut,
  user_metrics: LeftOut,
  documents: LeftOut,
  document_uploads: LeftOut,
  document_upload_parts: LeftOut,
  pdf_exports: LeftOut,
  schedules: LeftOut,
  tasks: LeftOut,
  open_tasks: LeftOut,
  task_events: LeftOut,
  webhooks: LeftOut,
  webhook_deliveries: LeftOut,
  webhook_attempts: LeftOut,
  sessions: LeftOut,
  api_tokens: LeftOut,
  calendar_feeds: LeftOut,
  security_events: LeftOut,
  email_changes: LeftOut,
  scheduled_deletions: LeftOut
}

export const AccountDocument = Schema.Struct({
  version: Version,
  exported_at: InstantText,
  user_profile: Schema.Array(ExportedProfile),
  tags: Schema.Array(ExportedTag),
  projects: Schema.Array(ExportedProject),
  team_projects: Schema.Array(ExportedTeamProject),
  default_project: Schema.Array(ExportedDefaultProject),
  goals: Schema.Array(ExportedGoal),
  log_entries: Schema.Array(ExportedEntry),
  insights: Schema.Array(ExportedInsight),
  ...everyLeftOut
}).annotate({ identifier: "AccountDocument", description: "What `GET /v1/users/export` answers, as it is." })

/** The same as the records that `ExportAccount` tells. */
export const AccountRecords = Schema.Struct({ version: Version, records: Schema.Array(ExportRecord) }).annotate({ identifier: "AccountRecords" })
export type AccountRecords = typeof AccountRecords.Type

export const AccountRestored = Schema.Struct({
  restored: Schema.Struct({
    user_profile: Schema.Int,
    tags: Schema.Int,
    projects: Schema.Int,
    team_projects: Schema.Int,
    default_project: Schema.Int,
    goals: Schema.Int,
    log_entries: Schema.Int,
    insights: Schema.Int
  }).annotate({ description: "Records of each section that came back." }),
  left_out: Schema.Array(Schema.Struct({ section: Schema.String, count: Schema.Int, reason: Schema.String })).annotate({
    description: "What of the document did not, and why."
  })
}).annotate({ identifier: "AccountRestored" })
export type AccountRestored = typeof AccountRestored.Type
