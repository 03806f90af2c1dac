/**
 * What is to be read, and of which period: the text of an import, which travels to its worker sealed. Each source is one member.
 * Tokens of other systems stand here and nowhere else.
 */
import { Schema } from "effect"
import { CsvDateFormat } from "./CsvFormat.ts"

/** Seed 004's `calendar_data`: events as JSON. */
export const CalendarData = Schema.Struct({ source: Schema.Literal("calendar_data"), events: Schema.Array(Schema.Json) })

/** Whose answers to invitations count, in lower case: what they declined they did not attend. */
const attendee = { attendee: Schema.NullOr(Schema.String) }

export const CalendarFile = Schema.Struct({ source: Schema.Literal("calendar_file"), ics: Schema.String, ...attendee })

export const CalendarUrl = Schema.Struct({ source: Schema.Literal("calendar_url"), url: Schema.String, ...attendee })

/** A report of a time tracker. */
export const CsvFile = Schema.Struct({
  source: Schema.Literal("csv_file"),
  csv: Schema.String,
  /** Null: as the file's own days tell. */
  date_format: Schema.NullOr(CsvDateFormat),
  /** Whose rows count, where the report is of several people; in lower case. */
  ...attendee
})

/** A repository on the worker's machine. */
export const GitRepository = Schema.Struct({
  source: Schema.Literal("git"),
  path: Schema.String,
  /** Whose commits count, by e-mail in lower case. */
  authors: Schema.Array(Schema.String)
})

export const GitHub = Schema.Struct({
  source: Schema.Literal("github"),
  /** Of the REST API, that of GitHub Enterprise Server perhaps. */
  base_url: Schema.String,
  /** Null: what everybody may read. */
  token: Schema.NullOr(Schema.String),
  /** `owner/name` each. */
  repositories: Schema.Array(Schema.String),
  /** Whose work counts; null: the token's owner's. */
  login: Schema.NullOr(Schema.String)
})

export const Jira = Schema.Struct({
  source: Schema.Literal("jira"),
  base_url: Schema.String,
  /** With the e-mail the token is an API token of Jira Cloud, without it a personal access token. */
  email: Schema.NullOr(Schema.String),
  token: Schema.String
})

/** `base_url`: of the Web API. */
export const Slack = Schema.Struct({ source: Schema.Literal("slack"), base_url: Schema.String, token: Schema.String })

export const ImportInput = Schema.Union([CalendarData, CalendarFile, CalendarUrl, CsvFile, GitRepository, GitHub, Jira, Slack])
export type ImportInput = typeof ImportInput.Type

export type ImportSourceName = ImportInput["source"]

/** Half-open: what starts at `from` belongs to it, what starts at `to` does not. */
export const ImportPeriod = Schema.Struct({ from: Schema.DateTimeUtcFromString, to: Schema.DateTimeUtcFromString })
export type ImportPeriod = typeof ImportPeriod.Type

/** What a worker gets. */
export const ImportJob = Schema.Struct({
  input: ImportInput,
  /** IANA zone of times that name none. */
  timezone: Schema.String,
  /** Null: whatever there is. */
  period: Schema.NullOr(ImportPeriod),
  /** Where the part before ended, in the source's own words; null at the beginning. */
  resume: Schema.NullOr(Schema.String)
})
export type ImportJob = typeof ImportJob.Type
