/**
 * Commits, pull requests and reviews on GitHub. What a rate limit keeps from being read in this task's time is told with the time from which on it
 * can be; what was read before it is handed in.
 */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Effect, Stream } from "effect"
import { GuardedFetch } from "../../web/GuardedFetch.ts"
import { instantOf } from "../ApiTimes.ts"
import { isWithin } from "../calendar/CalendarData.ts"
import { commitItems, type CommitOf, isInReach, reach } from "../CommitItems.ts"
import * as ImportSource from "../ImportSource.ts"
import { problemOf } from "../ImportText.ts"
import * as JsonApi from "../JsonApi.ts"
import { failureOf, ListedCommit, pages, PER_PAGE, PullRequest, Review, User } from "./GitHubApi.ts"
import { pullRequestItem, reviewItem } from "./GitHubItems.ts"

export const github = Effect.map(GuardedFetch, ({ fetch }) =>
  ImportSource.make("github", ({ base_url, login, repositories, token }, { period, resume }, timeLeft) =>
    Stream.unwrap(Effect.gen(function*() {
      const headers = {
        accept: "application/vnd.github+json",
        "user-agent": "EngLog",
        "x-github-api-version": "2022-11-28",
        ...(token === null ? {} : { authorization: `Bearer ${token}` })
      }
      const api = JsonApi.make({ fetch, name: "GitHub", headers, timeLeft })
      const base = base_url.replace(/\/+$/, "")
      const reading: Reading = { api, period, commits: [], items: [], problems: [] }
      let left = repositories
      const reads = Effect.gen(function*() {
        const who = login ?? (yield* explained("the account", api.get(`${base}/user`, User))).body.login
        for (const repository of repositories) {
          yield* explained(repository, readRepository(reading, { place: `${base}/repos/${repository}`, repository, login: who.toLowerCase() }))
          left = left.slice(1)
        }
        return []
      })
      const limits = yield* Effect.catchTag(reads, "Limited", ({ until }) => Effect.succeed([problemOf({
        item: left.join(", "),
        error: `GitHub's rate limit is used up: not everything of ${left.join(", ")} was read; import again from ${DateTime.formatIso(until)} on`
      })]))
      const found = [...commitItems(reading.commits, "github"), ...reading.items]
      const items = found.filter((item) => isWithin(item, period))
      return ImportSource.paged({ items, problems: reading.problems, skipped: found.length - items.length }, resume).pipe(ImportSource.telling(limits))
    }))))

interface Reading {
  readonly api: JsonApi.JsonApi
  readonly period: ImportPeriod | null
  /** Grow as pages are read, so that what came before a limit is kept. */
  readonly commits: Array<CommitOf>
  readonly items: Array<ImportedItem>
  readonly problems: Array<ImportProblem>
}

interface Place {
  readonly place: string
  readonly repository: string
  readonly login: string
}

const explained = <A, E>(what: string, read: Effect.Effect<A, E | JsonApi.Refused>) =>
  Effect.catchIf(read, (error): error is JsonApi.Refused => error instanceof JsonApi.Refused, (refused) => failureOf(refused, what))

const readRepository = Effect.fnUntraced(function*(reading: Reading, place: Place) {
  yield* readCommits(reading, place)
  yield* readPullRequests(reading, place)
})

const readCommits = Effect.fnUntraced(function*({ api, commits, period, problems }: Reading, { login, place, repository }: Place) {
  const query = new URLSearchParams({ author: login, per_page: `${PER_PAGE}` })
  if (period !== null) query.set("since", DateTime.formatIso(DateTime.subtractDuration(period.from, reach)))
  if (period !== null) query.set("until", DateTime.formatIso(DateTime.addDuration(period.to, reach)))
  const whole = yield* pages(api, `${place}/commits?${query}`, (page) => Effect.sync(() => {
    const { fitting, odd } = JsonApi.sortOut(ListedCommit, page)
    const read = fitting.flatMap(commitOf).filter((commit) => isInReach(commit, period))
    commits.push(...read.map((commit) => ({ commit, repository: repository.split("/")[1] ?? repository })))
    problems.push(...oddOnes(odd, `commits of ${repository}`))
    return true
  })).pipe(
    // GitHub answers so for a repository without commits.
    Effect.catchIf((error) => error._tag === "Refused" && error.status === 409, () => Effect.succeed(true))
  )
  if (!whole) problems.push(tooMany(`commits of ${repository}`))
})

const commitOf = ({ commit, parents, sha }: typeof ListedCommit.Type): ReadonlyArray<Commit> => {
  const at = instantOf(commit.author.date)
  const [subject = "", ...body] = commit.message.split("\n")
  return at === undefined ? [] : [{
    sha,
    parents: parents.length,
    author: commit.author.name,
    email: commit.author.email,
    at,
    subject,
    body: body.join("\n").trim(),
    files: []
  }]
}

/** What was reviewed in the period has changed in it or since. */
const readPullRequests = Effect.fnUntraced(function*(reading: Reading, { login, place, repository }: Place) {
  const { api, items, period, problems } = reading
  const whole = yield* pages(api, `${place}/pulls?state=all&sort=updated&direction=desc&per_page=${PER_PAGE}`, Effect.fnUntraced(function*(page) {
    const { fitting, odd } = JsonApi.sortOut(PullRequest, page)
    problems.push(...oddOnes(odd, `pull requests of ${repository}`))
    for (const pullRequest of fitting) {
      const updated = instantOf(pullRequest.updated_at)
      if (period !== null && updated !== undefined && DateTime.isLessThan(updated, period.from)) return false
      if (pullRequest.user?.login.toLowerCase() === login) items.push(...pullRequestItem(pullRequest, repository))
      yield* readReviews(reading, { login, place, repository }, pullRequest)
    }
    return true
  }))
  if (!whole) problems.push(tooMany(`pull requests of ${repository}`))
})

const readReviews = Effect.fnUntraced(function*({ api, items, problems }: Reading, { login, place, repository }: Place, pullRequest: typeof PullRequest.Type) {
  yield* pages(api, `${place}/pulls/${pullRequest.number}/reviews?per_page=${PER_PAGE}`, (page) => Effect.sync(() => {
    const { fitting, odd } = JsonApi.sortOut(Review, page)
    problems.push(...oddOnes(odd, `reviews of ${repository}#${pullRequest.number}`))
    items.push(...fitting.filter(({ user }) => user?.login.toLowerCase() === login).flatMap((review) => reviewItem(review, pullRequest, repository)))
    return true
  }))
})

const oddOnes = (odd: number, what: string): ReadonlyArray<ImportProblem> =>
  odd === 0 ? [] : [problemOf({ item: what, error: `${odd} of them are not as GitHub documents them, and were left out` })]

const tooMany = (what: string): ImportProblem => problemOf({ item: what, error: "there are more than can be read at once; import a shorter period" })
