/** Starting imports and looking back at them, by REST and RPC alike. Somebody else's import is as absent as none. */
import { ImportId } from "@englog/domain/Ids"
import { csvHeaderOf } from "@englog/domain/imports/CsvFormat"
import type { ImportInput, ImportPeriod } from "@englog/domain/imports/ImportInput"
import type { ImportRecord } from "@englog/domain/imports/ImportRecord"
import { addDays, localDayOf, localPeriod } from "@englog/domain/users/LocalDays"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { GitHubImport, GitImport, JiraImport, SlackImport } from "@englog/rpc/http/ConnectorImports"
import type { CalendarImport, CsvImport, ImportAccepted, ImportPage } from "@englog/rpc/http/ImportsApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { unstorable } from "@englog/rpc/http/PlainText"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { UserRepo } from "../auth/UserRepo.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orTooMany } from "../tasks/SubmissionProblem.ts"
import { csvTextOf } from "./CsvText.ts"
import { taskOf } from "./ImportOutcomes.ts"
import { ImportRepo } from "./ImportRepo.ts"

type Caller = CurrentUser["Service"]

/** What every source may be asked for besides. */
export interface ImportTerms {
  readonly from?: string
  readonly to?: string
  readonly timezone?: string
}

export interface NewImportRequest {
  readonly input: ImportInput
  readonly terms: ImportTerms
  /** Sources without an end read so much where no period is asked for. */
  readonly defaultPeriod: "recent" | "all"
  /** What names the place that is read, where a later import from it tells what is gone: see ImportRepo. */
  readonly feed: string | null
  /** What is said of it: "Calendar import queued successfully". */
  readonly name: string
}

export class Imports extends Context.Service<Imports, {
  readonly start: (caller: Caller, request: NewImportRequest) => Effect.Effect<ImportAccepted, TooManyRequests | SqlError>
  readonly calendar: (caller: Caller, request: CalendarImport) => Effect.Effect<ImportAccepted, TooManyRequests | SqlError>
  readonly csv: (caller: Caller, request: CsvImport) => Effect.Effect<ImportAccepted, BadRequest | TooManyRequests | SqlError>
  readonly git: (caller: Caller, request: GitImport) => Effect.Effect<ImportAccepted, TooManyRequests | SqlError>
  readonly github: (caller: Caller, request: GitHubImport) => Effect.Effect<ImportAccepted, TooManyRequests | SqlError>
  readonly jira: (caller: Caller, request: JiraImport) => Effect.Effect<ImportAccepted, TooManyRequests | SqlError>
  readonly slack: (caller: Caller, request: SlackImport) => Effect.Effect<ImportAccepted, TooManyRequests | SqlError>
  readonly list: (
    caller: Caller,
    query: { readonly cursor?: string; readonly limit?: number }
  ) => Effect.Effect<typeof ImportPage.Type, BadRequest | SqlError>
  readonly get: (caller: Caller, id: ImportId) => Effect.Effect<ImportRecord, NotFound | SqlError>
}>()("@englog/api/imports/Imports") {
  static readonly layer = Layer.effect(
    Imports,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* ImportRepo
      const queue = yield* TaskQueue
      const users = yield* UserRepo

      const start = Effect.fn("Imports.start")(function*(caller: Caller, { defaultPeriod, feed, input, name, terms }: NewImportRequest) {
        const id = ImportId.make(randomUUID())
        const timezone = terms.timezone ?? caller.timezone
        const period = yield* periodOf(terms, timezone, defaultPeriod)
        const task = taskOf({ import_id: id, source: input.source, part: 1 }, { input, timezone, period, resume: null })
        const { task_id } = yield* sql.withTransaction(Effect.gen(function*() {
          const accepted = yield* queue.enlist({ ...task, organization_id: caller.organization_id, user_id: caller.id })
          yield* repo.insert({ id, user_id: caller.id, source: input.source, task_id: accepted.task_id, period, feed })
          return accepted
        })).pipe(orTooMany, Effect.catchTag("DependencyProblem", Effect.die))
        return { task_id, import_id: id, message: `${name} import queued successfully` }
      })

      const addressOf = (caller: Caller) => Effect.map(users.find(caller.id), (found) => Option.getOrNull(Option.map(found, ({ email }) => email.toLowerCase())))

      return Imports.of({
        start,
        calendar: Effect.fn("Imports.calendar")(function*(caller, { calendar_data, ics, url, ...terms }) {
          const name = "Calendar"
          if (calendar_data !== undefined) {
            return yield* start(caller, { input: { source: "calendar_data", events: calendar_data }, terms, defaultPeriod: "all", feed: null, name })
          }
          const attendee = yield* addressOf(caller)
          return yield* ics === undefined
            ? start(caller, { input: { source: "calendar_url", url: url ?? "", attendee }, terms, defaultPeriod: "recent", feed: url ?? null, name })
            : start(caller, { input: { source: "calendar_file", ics, attendee }, terms, defaultPeriod: "recent", feed: null, name })
        }),
        csv: Effect.fn("Imports.csv")(function*(caller, { csv, csv_base64 = "", date_format = null, ...terms }) {
          const text = csv ?? csvTextOf(Buffer.from(csv_base64, "base64"))
          const header = csvHeaderOf(text)
          const problem = typeof header === "string" ? header : unstorable(text)
          if (problem !== undefined) return yield* new BadRequest({ error: `csv_base64: ${problem}` })
          const attendee = yield* addressOf(caller)
          return yield* start(caller, { input: { source: "csv_file", csv: text, date_format, attendee }, terms, defaultPeriod: "all", feed: null, name: "CSV" })
        }),
        git: Effect.fn("Imports.git")(function*(caller, { author_emails, path, ...terms }) {
          const own = yield* addressOf(caller)
          const authors = author_emails?.map((email) => email.toLowerCase()) ?? (own === null ? [] : [own])
          const feed = JSON.stringify(["git", path, [...authors].sort()])
          return yield* start(caller, { input: { source: "git", path, authors }, terms, defaultPeriod: "recent", feed, name: "Git" })
        }),
        github: Effect.fn("Imports.github")(function*(caller, { base_url = "https://api.github.com", login = null, repositories, token = null, ...terms }) {
          const input = { source: "github", base_url, token, repositories, login } as const
          return yield* start(caller, { input, terms, defaultPeriod: "recent", feed: null, name: "GitHub" })
        }),
        jira: Effect.fn("Imports.jira")(function*(caller, { base_url, email = null, token, ...terms }) {
          return yield* start(caller, { input: { source: "jira", base_url, email, token }, terms, defaultPeriod: "recent", feed: null, name: "Jira" })
        }),
        slack: Effect.fn("Imports.slack")(function*(caller, { base_url = "https://slack.com/api", token, ...terms }) {
          return yield* start(caller, { input: { source: "slack", base_url, token }, terms, defaultPeriod: "all", feed: null, name: "Slack" })
        }),
        list: Effect.fn("Imports.list")(function*(caller, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(caller.id, after, limit + 1), limit)
          return { items: rows.map(({ record }) => record), next_cursor }
        }),
        get: Effect.fn("Imports.get")(function*(caller, id) {
          const found = yield* repo.find(caller.id, id)
          return Option.isSome(found) ? found.value : yield* new NotFound({ error: `you have no import ${id}` })
        })
      })
    })
  )
}

/** Days that are read where no period is asked for, today included. */
const RECENT = 90

/** Of a period of which one end is given, the other one is today, or as long ago as can be. */
const periodOf = Effect.fnUntraced(function*(
  { from, to }: ImportTerms,
  timezone: string,
  byDefault: NewImportRequest["defaultPeriod"]
): Effect.fn.Return<ImportPeriod | null> {
  if (from === undefined && to === undefined && byDefault === "all") return null
  const today = localDayOf(yield* DateTime.now, timezone)
  const last = to ?? (from !== undefined && from > today ? from : today)
  return localPeriod(from ?? (byDefault === "all" ? "1900-01-01" : addDays(last, 1 - RECENT)), last, timezone)
})
