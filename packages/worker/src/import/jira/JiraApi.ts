/**
 * Jira's REST API v2, which Cloud, Server and Data Center share but for the search: https://developer.atlassian.com/cloud/jira/platform/rest/v2
 * In v2 comments are text.
 */
import { Effect, Schema } from "effect"
import { TaskFailure } from "../../handlers/TaskHandler.ts"
import type { JsonApi, Refused } from "../JsonApi.ts"

export const ServerInfo = Schema.Struct({ deploymentType: Schema.optionalKey(Schema.NullOr(Schema.String)) })

/** Cloud knows people by `accountId`, Server by `key` or `name`. */
export const Person = Schema.Struct({
  accountId: Schema.optionalKey(Schema.NullOr(Schema.String)),
  key: Schema.optionalKey(Schema.NullOr(Schema.String)),
  name: Schema.optionalKey(Schema.NullOr(Schema.String))
})
export type Person = typeof Person.Type

export const idOf = (person: Person | null | undefined): string | undefined => person?.accountId ?? person?.key ?? person?.name ?? undefined

const Named = Schema.Struct({ name: Schema.String })

export const Issue = Schema.Struct({
  id: Schema.NonEmptyString,
  key: Schema.String,
  fields: Schema.Struct({
    summary: Schema.NullOr(Schema.String),
    project: Schema.optionalKey(Schema.NullOr(Named)),
    issuetype: Schema.optionalKey(Schema.NullOr(Named)),
    assignee: Schema.optionalKey(Schema.NullOr(Person)),
    resolutiondate: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
})
export type Issue = typeof Issue.Type

export const Worklog = Schema.Struct({
  id: Schema.NonEmptyString,
  author: Schema.optionalKey(Schema.NullOr(Person)),
  comment: Schema.optionalKey(Schema.NullOr(Schema.String)),
  started: Schema.String,
  timeSpentSeconds: Schema.Finite
})
export type Worklog = typeof Worklog.Type

const FIELDS = "summary,project,issuetype,assignee,resolutiondate"
const PER_PAGE = 50
const MAX_PAGES = 200

const CloudPage = Schema.Struct({ issues: Schema.Array(Schema.Unknown), nextPageToken: Schema.optionalKey(Schema.NullOr(Schema.String)) })
const ServerPage = Schema.Struct({ issues: Schema.Array(Schema.Unknown), total: Schema.Int })
const WorklogPage = Schema.Struct({ worklogs: Schema.Array(Schema.Unknown), total: Schema.Int })

/** A page, and the query of the next one. */
interface Paged {
  readonly found: ReadonlyArray<unknown>
  readonly next: Readonly<Record<string, string>> | undefined
}

/** Page after page until there is none. False: it ended before that. */
const all = Effect.fnUntraced(function*<E, E2, R>(
  read: (query: Readonly<Record<string, string>>) => Effect.Effect<Paged, E>,
  each: (found: ReadonlyArray<unknown>) => Effect.Effect<void, E2, R>
): Effect.fn.Return<boolean, E | E2, R> {
  let query: Paged["next"] = {}
  for (let page = 0; page < MAX_PAGES && query !== undefined; page++) {
    const { found, next }: Paged = yield* read(query)
    yield* each(found)
    query = next
  }
  return query === undefined
})

/** By token in Cloud, whose older search is gone; by place in Server. */
export const search = <E, R>(api: JsonApi, base: string, isCloud: boolean, jql: string, each: (issues: ReadonlyArray<unknown>) => Effect.Effect<void, E, R>) =>
  all((query) => {
    const asked = new URLSearchParams({ jql, fields: FIELDS, maxResults: `${PER_PAGE}`, ...query })
    return isCloud
      ? Effect.map(api.get(`${base}/rest/api/2/search/jql?${asked}`, CloudPage), ({ body: { issues, nextPageToken } }): Paged => ({
        found: issues,
        next: nextPageToken === undefined || nextPageToken === null ? undefined : { nextPageToken }
      }))
      : Effect.map(api.get(`${base}/rest/api/2/search?${asked}`, ServerPage), ({ body: { issues, total } }) => byPlace(issues, total, query))
  }, each)

export const worklogs = <E, R>(api: JsonApi, base: string, issue: string, each: (worklogs: ReadonlyArray<unknown>) => Effect.Effect<void, E, R>) =>
  all((query) =>
    Effect.map(
      api.get(`${base}/rest/api/2/issue/${encodeURIComponent(issue)}/worklog?${new URLSearchParams({ maxResults: "1000", ...query })}`, WorklogPage),
      ({ body: { total, worklogs } }) => byPlace(worklogs, total, query)
    ), each)

const byPlace = (found: ReadonlyArray<unknown>, total: number, query: Readonly<Record<string, string>>): Paged => {
  const end = Number(query["startAt"] ?? 0) + found.length
  return { found, next: found.length === 0 || end >= total ? undefined : { startAt: `${end}` } }
}

export const failureOf = ({ headers, status }: Refused): TaskFailure =>
  new TaskFailure({
    message: status === 401
      ? "token: Jira does not accept it: it is wrong, expired or revoked, or belongs to another e-mail"
      : status === 403 && headers["x-authentication-denied-reason"] !== undefined
      ? "token: Jira asks for a login in the browser first, after too many wrong ones"
      : status === 403
      ? "token: it may not search issues and read worklogs"
      : status === 404
      ? "base_url: there is no Jira at this address"
      : status >= 300 && status < 400
      ? "base_url: Jira sends elsewhere; name the address to which it leads"
      : `Jira answered ${status}`,
    retryable: false
  })
