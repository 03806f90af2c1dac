/**
 * The document of an account's export, as far as an import reads it: what comes back, what does not and why
 * (docs/decisions/0042). Records are as the database has them; unknown fields are refused, so that nothing is dropped in silence.
 */
import { Fact } from "@englog/domain/facts/Fact"
import { DocumentFormat } from "@englog/domain/documents/Document"
import { MAX_DOCUMENT_BYTES as MAX_UPLOAD_BYTES } from "@englog/domain/documents/DocumentUpload"
import { ActivityType, ImpactLevel } from "@englog/domain/entries/LogEntry"
import { GoalMeasure } from "@englog/domain/goals/Goal"
import { DocumentKey, EntryId, GoalId, ImportId, InsightId, ProjectId, ProposalId, TagId, TaskId, UploadId, UserId } from "@englog/domain/Ids"
import { ImportedText, ImportProblem, ImportSystem } from "@englog/domain/imports/ImportedItem"
import { Citation, InsightDraft, RemovedSentence } from "@englog/domain/insights/Insight"
import { ProjectStatus } from "@englog/domain/projects/Project"
import { Locale, WeekStart } from "@englog/domain/users/Preferences"
import { WorkingHoursRequest } from "@englog/domain/users/WorkingHours"
import { TimeZone } from "@englog/domain/users/TimeZone"
import { InsightBasis } from "@englog/domain/verification/InsightBasis"
import { DateTime, Effect, Schema } from "effect"
import { ExportRecord } from "./AccountView.ts"
import { MEBIBYTE } from "./BodyLimit.ts"
import { Color } from "./Color.ts"
import { subject, timesProblem } from "./EntryPayload.ts"
import { ChunkSize, DocumentContent, DocumentName, isBase64, Overlap, UploadedBytes } from "./DocumentRequest.ts"
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

export const ExportedImport = Schema.Struct({
  id: ImportId,
  user_id: ignored,
  source: PlainText({ min: 1, max: 30 }),
  task_id: TaskId,
  period_from: Schema.NullOr(InstantText),
  period_to: Schema.NullOr(InstantText),
  part: Count.check(Schema.isGreaterThan(0, { expected: "from 1 on" })),
  created: Count,
  updated: Count,
  corrections: Count,
  removed: Count,
  unchanged: Count,
  skipped: Count,
  problem_count: Count,
  problems: Schema.NullOr(Schema.Array(ImportProblem)),
  outcome: Schema.NullOr(Schema.Literals(["completed", "partial"])),
  created_at: InstantText,
  completed_at: Schema.NullOr(InstantText)
}).check(
  Schema.makeFilter(({ completed_at, outcome }: { readonly completed_at: string | null; readonly outcome: string | null }) =>
    (completed_at === null) === (outcome === null) ? undefined : { path: ["completed_at"], issue: "must be given with outcome, and null without" }, {
    toJsonSchema: () => [{}, true]
  })
).annotate({ identifier: "ExportedImport" })

interface ProposalTimes {
  readonly start_time: string
  readonly end_time: string
}

export const ExportedProposal = Schema.Struct({
  id: ProposalId,
  user_id: ignored,
  import_id: Schema.NullOr(ImportId),
  source: ImportSystem,
  content: Schema.Struct({
    source_id: PlainText({ min: 1, max: 1_200 }),
    /** An item whose occurrence the document does not tell counts as one without. */
    occurrence: Schema.NullOr(PlainText({ max: 100 })).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null))),
    title: ImportedText(200),
    description: Schema.NullOr(ImportedText(2_000)),
    type: ActivityType,
    impact_level: ImpactLevel,
    tags: Schema.Array(ImportedText(50)).check(Schema.isMaxLength(50, { expected: "at most 50 tags" })),
    project: Schema.NullOr(ImportedText(200))
  }).check(Schema.makeFilter(({ occurrence, source_id }: { readonly occurrence: string | null; readonly source_id: string }) =>
    occurrence === null || occurrence === "" || (source_id.length > occurrence.length + 1 && source_id.endsWith(` ${occurrence}`))
      ? undefined
      : { path: ["occurrence"], issue: "must be the end of source_id, after a space" }, { toJsonSchema: () => [{}, true] })),
  start_time: InstantText,
  end_time: InstantText,
  all_day: Schema.Boolean,
  removed: Schema.Boolean,
  state: Schema.Literals(["open", "accepted", "dismissed"]),
  entry_id: Schema.NullOr(EntryId),
  ...times
}).check(
  Schema.makeFilter(({ end_time, start_time }: ProposalTimes) =>
    DateTime.isGreaterThan(DateTime.makeUnsafe(end_time), DateTime.makeUnsafe(start_time)) ? undefined : { path: ["end_time"], issue: "must be after start_time" }, {
    toJsonSchema: () => [{}, true]
  })
).annotate({ identifier: "ExportedProposal" })

interface Cutting {
  readonly chunk_size: number
  readonly overlap: number
  readonly encoded: boolean
  readonly source: string | null
}

/** Chunks, words and vectors are not in it: they are made of it anew. */
export const ExportedDocument = Schema.Struct({
  key: DocumentKey,
  organization_id: ignored,
  submitted_by: ignored,
  document_id: DocumentName,
  /** One that was handed in to a team's knowledge is the team's. */
  personal: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(true))),
  title: Schema.NullOr(TrimmedText({ min: 1, max: 500 })),
  format: DocumentFormat,
  source: Schema.NullOr(DocumentContent).annotate({ description: "Null: it is the upload that names the document." }),
  encoded: Schema.Boolean,
  chunk_size: ChunkSize,
  overlap: Overlap,
  revision: Count.check(Schema.isGreaterThan(0, { expected: "from 1 on" })),
  created_at: InstantText,
  updated_at: InstantText,
  searched_revision: ignored,
  task_id: ignored,
  chunks: ignored,
  words: ignored,
  characters: ignored,
  model: ignored,
  processed_at: ignored,
  stored_chunks: ignored
}).check(
  Schema.makeFilter(({ chunk_size, encoded, overlap, source }: Cutting) =>
    overlap * 2 > chunk_size
      ? { path: ["overlap"], issue: "must be at most half of chunk_size" }
      : encoded && source !== null && !isBase64(source) ? { path: ["source"], issue: "must be Base64 (RFC 4648, section 4)" } : undefined, {
    toJsonSchema: () => [{}, true]
  })
).annotate({ identifier: "ExportedDocument" })

export const ExportedUpload = Schema.Struct({
  id: UploadId,
  organization_id: ignored,
  user_id: ignored,
  document: Schema.NullOr(DocumentKey).annotate({ description: "Null: it waits for one, and does not come back." }),
  format: DocumentFormat,
  bytes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MAX_UPLOAD_BYTES }, { expected: `from 0 to ${MAX_UPLOAD_BYTES}` })),
  parts: Count,
  created_at: InstantText,
  completed_at: Schema.NullOr(InstantText),
  // Not in exports from before uploads could go on.
  resumable: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "ExportedUpload" })

export const ExportedUploadPart = Schema.Struct({ upload: UploadId, place: Count, content: UploadedBytes }).annotate({ identifier: "ExportedUploadPart" })

/** What comes back, in the order in which it is written. */
export const restoredSections = {
  user_profile: ExportedProfile,
  tags: ExportedTag,
  projects: ExportedProject,
  team_projects: ExportedTeamProject,
  default_project: ExportedDefaultProject,
  goals: ExportedGoal,
  log_entries: ExportedEntry,
  insights: ExportedInsight,
  imports: ExportedImport,
  proposals: ExportedProposal,
  documents: ExportedDocument,
  document_uploads: ExportedUpload,
  document_upload_parts: ExportedUploadPart
} as const

/** Those that may be taken out of the document, which they make large. What a document consists of comes back with it, or not at all. */
export const dispensableSections: ReadonlySet<string> = new Set([
  "imports", "proposals", "documents", "document_uploads", "document_upload_parts"
])

export type RestoredSection = keyof typeof restoredSections

/** What does not come back, and why. */
export const leftOutSections = {
  organizations: "teams are not an account's own: their administrators invite you again",
  shared_projects: "shares are given within a team",
  sent_invitations: "their links were sent by the account that made them",
  suggestions: "they were for entries as they stood; ask again",
  mail_deliveries: "records of letters that were sent",
  notifications: "they told of what happened in the other account",
  user_metrics: "are computed anew from the entries",
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
  suggestions: LeftOut,
  mail_deliveries: LeftOut,
  notifications: LeftOut,
  user_metrics: LeftOut,
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
  imports: Schema.optionalKey(Schema.Array(ExportedImport)),
  proposals: Schema.optionalKey(Schema.Array(ExportedProposal)),
  documents: Schema.optionalKey(Schema.Array(ExportedDocument)),
  document_uploads: Schema.optionalKey(Schema.Array(ExportedUpload)),
  document_upload_parts: Schema.optionalKey(Schema.Array(ExportedUploadPart)),
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
    insights: Schema.Int,
    imports: Schema.Int,
    proposals: Schema.Int,
    documents: Schema.Int,
    document_uploads: Schema.Int,
    document_upload_parts: Schema.Int
  }).annotate({ description: "Records of each section that came back." }),
  left_out: Schema.Array(Schema.Struct({ section: Schema.String, count: Schema.Int, reason: Schema.String })).annotate({
    description: "What of the document did not, and why."
  })
}).annotate({ identifier: "AccountRestored" })
export type AccountRestored = typeof AccountRestored.Type
