/**
 * Imports (seed 004, `/v1/import/calendar`): what other systems say was done becomes proposals in the inbox. Each import is a task.
 */
import { ImportId, TaskId } from "@englog/domain/Ids"
import { CsvDateFormat, csvHeaderOf } from "@englog/domain/imports/CsvFormat"
import { ImportRecord } from "@englog/domain/imports/ImportRecord"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { AccountDocument, AccountRestored, MAX_DOCUMENT_BYTES } from "./AccountDocument.ts"
import { Authorization } from "./Authorization.ts"
import { BodyLimit, MEBIBYTE } from "./BodyLimit.ts"
import { GitHubImport, GitImport, JiraImport, SlackImport } from "./ConnectorImports.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import * as Example from "./ImportExamples.ts"
import { periodFields, shortEnough } from "./ImportPeriodFields.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, unstorable } from "./PlainText.ts"
import { StartsTask } from "./StartsTask.ts"
import { unstorableWithin } from "./StorableJson.ts"
import { inOrder } from "./Times.ts"

/** Events of one request. */
export const MAX_EVENTS = 2_000

/** Anything: one that does not fit is told with its index. */
const Event = Schema.Json.check(
  Schema.makeFilter<Schema.Json>(() => undefined, { toJsonSchema: () => [{ description: "An event; see above what it may hold." }, true] })
)

const Events = Schema.Array(Event).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(MAX_EVENTS),
  Schema.makeFilter<ReadonlyArray<Schema.Json>>((events) => {
    const index = events.findIndex((event) => unstorableWithin(event) !== undefined)
    return index === -1 ? undefined : { path: [index], issue: unstorableWithin(events[index] ?? null)?.reason ?? "cannot be stored" }
  }, { toJsonSchema: () => [{}, true] })
).annotate({
  description: "Events as JSON: `title`, `start_time` and `end_time` (RFC 3339), and optionally `id`, `description`, `type` and `tags`. "
    + "One that does not fit is told with its index; the others are imported."
})

const Ics = Schema.String.check(
  Schema.makeFilter<string>((text) =>
    unstorable(text) ?? (/^\uFEFF?\s*BEGIN:VCALENDAR\s/i.test(text) ? undefined : "must be an iCalendar text: it does not begin with BEGIN:VCALENDAR"),
    { expected: "an iCalendar text", toJsonSchema: () => [{}, true] })
).annotate({ description: "An iCalendar (.ics) file's text. Without a period: the last 90 days." })

const isAddress = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== ""
}

/** Which addresses are fetched, the worker decides: it is the one that is in their network. */
const CalendarAddress = PlainText({ max: 2_000 }).check(
  Schema.makeFilter<string>((text) => isAddress(text) ? undefined : "must be an https address", {
    expected: "an https address",
    toJsonSchema: () => [{ format: "uri" }, true]
  })
).annotate({ description: "Address of an iCalendar file. Without a period: the last 90 days." })

const one = ["calendar_data", "ics", "url"] as const

export const CalendarImport = Schema.Struct({
  calendar_data: Schema.optionalKey(Events),
  ics: Schema.optionalKey(Ics),
  url: Schema.optionalKey(CalendarAddress),
  ...periodFields
}).check(
  inOrder("from", "to"),
  shortEnough,
  Schema.makeFilter((given: { readonly [Name in typeof one[number]]?: unknown }) => {
    const named = one.filter((name) => given[name] !== undefined)
    return named.length === 1
      ? undefined
      : { path: [named[1] ?? "calendar_data"], issue: named.length === 0 ? "is required, or ics, or url" : `must not be given with ${named[0]}` }
  }, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "CalendarImport" })
export type CalendarImport = typeof CalendarImport.Type

const CsvText = Schema.String.check(
  Schema.makeFilter<string>((text) => {
    const header = csvHeaderOf(text)
    return unstorable(text) ?? (typeof header === "string" ? header : undefined)
  }, { expected: "a report of Toggl or Clockify", toJsonSchema: () => [{}, true] })
).annotate({ description: "The detailed report of Toggl or Clockify as text. Its delimiter is found out." })

/** Of every encoding that such files have; see csvTextOf. */
const CsvBase64 = Schema.String.check(
  Schema.makeFilter<string>((text) =>
    /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0 ? undefined : "must be base64 of the file's bytes", {
    expected: "base64",
    toJsonSchema: () => [{ contentEncoding: "base64" }, true]
  })
).annotate({ description: "Instead of `csv`, the file's bytes: UTF-8, UTF-16 with its byte order mark, or Windows-1252." })

export const CsvImport = Schema.Struct({
  csv: Schema.optionalKey(CsvText),
  csv_base64: Schema.optionalKey(CsvBase64),
  date_format: Schema.optionalKey(CsvDateFormat.annotate({
    description: "Order of day, month and year. Needed only where no day of the file tells it, as in 03/04/2026."
  })),
  ...periodFields
}).check(
  inOrder("from", "to"),
  shortEnough,
  Schema.makeFilter((given: { readonly csv?: string; readonly csv_base64?: string }) =>
    given.csv === undefined && given.csv_base64 === undefined
      ? { path: ["csv"], issue: "is required, or csv_base64" }
      : given.csv !== undefined && given.csv_base64 !== undefined
      ? { path: ["csv_base64"], issue: "must not be given with csv" }
      : undefined, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "CsvImport" })
export type CsvImport = typeof CsvImport.Type

export const ImportAccepted = Schema.Struct({ task_id: TaskId, import_id: ImportId, message: Schema.String }).annotate({
  identifier: "ImportAccepted"
})
export type ImportAccepted = typeof ImportAccepted.Type

export const ImportPage = Page(ImportRecord).annotate({ identifier: "ImportPage" })

const accepted = ImportAccepted.pipe(HttpApiSchema.status(202))

interface Told {
  readonly summary: string
  readonly description: string
  readonly request: Schema.Json
  readonly response: Schema.Json
}

/** What is asked of one system is read by a task. */
const reading = <const System extends string, Payload extends Schema.Top>(system: System, payload: Payload, { request, response, ...told }: Told) =>
  HttpApiEndpoint.post(system, `/v1/import/${system}`, { payload, success: accepted }).annotate(StartsTask, true)
    .annotateMerge(OpenApi.annotations({ ...told, transform: examples({ request, response }) }))

export class ImportsApi extends HttpApiGroup.make("imports").add(
  reading("calendar", CalendarImport, {
    summary: "Import a calendar",
    description: "Exactly one of `calendar_data`, `ics` and `url`. What is found waits in the inbox; importing it again adds nothing.",
    request: Example.calendarRequest,
    response: Example.accepted
  }),
  HttpApiEndpoint.post("csv", "/v1/import/csv", { payload: CsvImport, success: accepted, error: BadRequest }).annotate(StartsTask, true)
    .annotateMerge(OpenApi.annotations({
      summary: "Import a report of Toggl or Clockify",
      description: "Exactly one of `csv` and `csv_base64`. Rows that cannot be read are told with row and field; the others are imported.",
      transform: examples({ request: Example.csvRequest, response: Example.csvAccepted })
    })),
  reading("git", GitImport, {
    summary: "Import commits of a git repository",
    description: "A repository on the machine of the worker, which its operator has to allow. Each commit waits in the inbox.",
    request: Example.gitRequest,
    response: Example.gitAccepted
  }),
  reading("github", GitHubImport, {
    summary: "Import commits, pull requests and reviews from GitHub",
    description: "Of github.com or GitHub Enterprise Server. The token is kept sealed, for this import only.",
    request: Example.githubRequest,
    response: Example.githubAccepted
  }),
  reading("jira", JiraImport, {
    summary: "Import worklogs and resolved issues from Jira",
    description: "Of Jira Cloud, Server or Data Center. The token is kept sealed, for this import only.",
    request: Example.jiraRequest,
    response: Example.jiraAccepted
  }),
  reading("slack", SlackImport, {
    summary: "Import your status from Slack",
    description: "What your status says now, as something of today. The token is kept sealed, for this import only.",
    request: Example.slackRequest,
    response: Example.slackAccepted
  }),
  HttpApiEndpoint.post("account", "/v1/import/account", {
    payload: AccountDocument,
    success: AccountRestored.pipe(HttpApiSchema.status(201)),
    error: [BadRequest, Conflict]
  }).annotate(BodyLimit, MAX_DOCUMENT_BYTES).annotateMerge(OpenApi.annotations({
    summary: "Import an exported account",
    description: `What \`GET /v1/users/export\` answered, as it is: at most ${MAX_DOCUMENT_BYTES / MEBIBYTE} MiB, all of it within 30 seconds. `
      + "Only into an account that has no entries, projects, own tags, goals, insights, imports or documents: 409 otherwise. Profile and preferences become those of the "
      + "document; address, password and rights stay. Everything gets new ids; created and changed is when it was. Projects of teams become your own. "
      + "The inbox knows what was imported: the same again adds nothing. Documents are found once their tasks are done; of uploaded ones all parts have to be there. "
      + "Secrets, teams and records of what the server did do not come back: `left_out` says what and why. All of it or nothing is written.",
    transform: examples({ request: Example.accountRequest, response: Example.accountRestored })
  })),
  HttpApiEndpoint.get("list", "/v1/imports", { query: pageQuery, success: ImportPage }).annotateMerge(OpenApi.annotations({
    summary: "List imports, newest first",
    description: "With what became of each: counts, and what could not be read.",
    transform: examples({ response: { items: [Example.record], next_cursor: null } })
  })),
  HttpApiEndpoint.get("get", "/v1/imports/:id", { params: { id: ImportId }, success: ImportRecord, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read an import",
      description: "How far it is, and what became of it.",
      transform: examples({ response: Example.record })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Imports",
  description: "What other systems say was done, read by tasks; it waits in the inbox until you decide."
})) {}
