/**
 * Worklogs of somebody's own, and issues that they resolved without one. What a rate limit keeps from being read in this task's time is told with the
 * time from which on it can be; what was read before it is handed in.
 */
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Effect, Stream } from "effect"
import { GuardedFetch } from "../../web/GuardedFetch.ts"
import { isWithin } from "../calendar/CalendarData.ts"
import * as ImportSource from "../ImportSource.ts"
import { problemOf } from "../ImportText.ts"
import * as JsonApi from "../JsonApi.ts"
import { failureOf, idOf, Issue, Person, search, ServerInfo, Worklog, worklogs } from "./JiraApi.ts"
import { resolvedItem, worklogItem } from "./JiraItems.ts"

export const jira = Effect.map(GuardedFetch, ({ fetch }) =>
  ImportSource.make("jira", ({ base_url, email, token }, { period, resume, timezone }, timeLeft) =>
    Stream.unwrap(Effect.gen(function*() {
      const authorization = email === null ? `Bearer ${token}` : `Basic ${Buffer.from(`${email}:${token}`).toString("base64")}`
      const api = JsonApi.make({ fetch, name: "Jira", headers: { accept: "application/json", authorization }, timeLeft })
      const base = base_url.replace(/\/+$/, "")
      const reading: Reading = { api, base, period, timezone, items: [], problems: [] }
      const limits = yield* readIssues(reading).pipe(
        Effect.catchTags({
          Refused: (refused) => failureOf(refused),
          Limited: ({ until }) => Effect.succeed([problemOf({
            error: `Jira's rate limit is used up: not all issues were read; import again from ${DateTime.formatIso(until)} on`
          })])
        })
      )
      const items = reading.items.filter((item) => isWithin(item, period))
      return ImportSource.paged({ items, problems: reading.problems, skipped: reading.items.length - items.length }, resume).pipe(ImportSource.telling(limits))
    }))))

interface Reading {
  readonly api: JsonApi.JsonApi
  readonly base: string
  readonly period: ImportPeriod | null
  readonly timezone: string
  /** Grow as pages are read, so that what came before a limit is kept. */
  readonly items: Array<ImportedItem>
  readonly problems: Array<ImportProblem>
}

/** None, where all was read. */
const readIssues = Effect.fnUntraced(function*(reading: Reading) {
  const { api, base, period, problems } = reading
  const isCloud = (yield* api.get(`${base}/rest/api/2/serverInfo`, ServerInfo)).body.deploymentType === "Cloud"
  const me = idOf((yield* api.get(`${base}/rest/api/2/myself`, Person)).body)
  const whole = yield* search(api, base, isCloud, jqlOf(period), Effect.fnUntraced(function*(page) {
    const { fitting, odd } = JsonApi.sortOut(Issue, page)
    problems.push(...oddOnes(odd, "issues"))
    yield* Effect.forEach(fitting, (issue) => readIssue(reading, issue, me), { discard: true })
  }))
  return whole ? [] : [problemOf({ item: "issues", error: "there are more than can be read at once; import a shorter period" })]
})

const readIssue = Effect.fnUntraced(function*({ api, base, items, period, problems, timezone }: Reading, issue: Issue, me: string | undefined) {
  const own: Array<ImportedItem> = []
  yield* worklogs(api, base, issue.id, (page) => Effect.sync(() => {
    const { fitting, odd } = JsonApi.sortOut(Worklog, page)
    problems.push(...oddOnes(odd, `worklogs of ${issue.key}`))
    for (const worklog of fitting.filter(({ author }) => me !== undefined && idOf(author) === me)) {
      const item = worklogItem(worklog, issue, base)
      if (typeof item === "string") problems.push(problemOf({ item: `${issue.key}, worklog ${worklog.id}`, error: item }))
      else own.push(item)
    }
  }))
  items.push(...own)
  const isOwn = me !== undefined && idOf(issue.fields.assignee) === me
  if (isOwn && !own.some((item) => isWithin(item, period))) items.push(...resolvedItem(issue, base, timezone))
})

/**
 * Jira reads days in the zone of the token's owner's profile, which may be a day from ours on either side: what is beyond the period is left out here.
 */
const jqlOf = (period: ImportPeriod | null): string => {
  const days = (field: string) =>
    period === null
      ? `${field} is not EMPTY`
      : `${field} >= "${dayOf(DateTime.subtract(period.from, { days: 1 }))}" AND ${field} <= "${dayOf(DateTime.add(period.to, { days: 2 }))}"`
  const logged = period === null ? "worklogAuthor = currentUser()" : `worklogAuthor = currentUser() AND ${days("worklogDate")}`
  return `(${logged}) OR (assignee = currentUser() AND ${days("resolved")}) ORDER BY created ASC`
}

const dayOf = DateTime.formatIsoDateUtc

const oddOnes = (odd: number, what: string): ReadonlyArray<ImportProblem> =>
  odd === 0 ? [] : [problemOf({ item: what, error: `${odd} of them are not as Jira documents them, and were left out` })]
