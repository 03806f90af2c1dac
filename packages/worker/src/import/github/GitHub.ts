/**
 * Commits, pull requests and reviews on GitHub. What a rate limit keeps from being read in this task's time is told with the time from which on it
 * can be; what was read before it is handed in.
 */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Effect, Schema, Stream } from "effect"
import { GuardedFetch } from "../../web/GuardedFetch.ts"
import { instantOf } from "../ApiTimes.ts"
import { isWithin } from "../calendar/CalendarData.ts"
import { commitItems, type CommitOf, isInReach, reach } from "../CommitItems.ts"
import * as ImportSource from "../ImportSource.ts"
import { problemOf } from "../ImportText.ts"
import * as JsonApi from "../JsonApi.ts"
import { Branch, failureOf, ListedCommit, pages, PER_PAGE, PullRequest, Review, User } from "./GitHubApi.ts"
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

/**
 * Of the default branch first, then of all others, each commit once. A branch whose head was read as part of another one holds nothing that
 * is new: what can be reached from there was read with it.
 */
const readCommits = Effect.fnUntraced(function*(reading: Reading, place: Place) {
  const { problems } = reading
  const of = `commits of ${place.repository}`
  const seen = new Set<string>()
  let whole = yield* readBranch(reading, place, seen, undefined).pipe(
    // GitHub answers so for a repository without commits.
    Effect.catchIf((error) => error._tag === "Refused" && error.status === 409, () => Effect.succeed(true))
  )
  if (!whole) problems.push(tooMany(of))
  const heads = yield* headsOf(reading, place)
  for (const [head, name] of [...heads].slice(0, MAX_BRANCHES)) {
    if (whole && seen.has(head)) continue
    const read = yield* readBranch(reading, place, seen, head).pipe(
      Effect.catchIf((error) => error._tag === "Refused" && [404, 409, 422].includes(error.status), () => {
        problems.push(problemOf({ item: `${of}, branch ${name}`, error: "the branch was deleted while it was read" }))
        return Effect.succeed(true)
      })
    )
    if (!read) problems.push(tooMany(`${of}, branch ${name}`))
    whole &&= read
  }
  if (heads.size > MAX_BRANCHES) {
    problems.push(problemOf({ item: of, error: `${heads.size - MAX_BRANCHES} of ${heads.size} branches were not read: at most ${MAX_BRANCHES} are` }))
  }
})

/** Each is at least one question, of which GitHub answers 5,000 in an hour. */
const MAX_BRANCHES = 500

/** The commits at the ends of branches, each with the name of the first branch that ends there. */
const headsOf = Effect.fnUntraced(function*({ api, problems }: Reading, { place, repository }: Place) {
  const heads = new Map<string, string>()
  const whole = yield* pages(api, `${place}/branches?per_page=${PER_PAGE}`, (page) => Effect.sync(() => {
    const { fitting, odd } = JsonApi.sortOut(Branch, page)
    for (const { commit, name } of fitting) if (!heads.has(commit.sha)) heads.set(commit.sha, name)
    problems.push(...oddOnes(odd, `branches of ${repository}`))
    return true
  }))
  if (!whole) problems.push(tooMany(`branches of ${repository}`))
  return heads
})

/** What can be reached from a commit; from the end of the default branch where none is named. False: there is more. */
const readBranch = ({ api, commits, period, problems }: Reading, { login, place, repository }: Place, seen: Set<string>, head: string | undefined) => {
  const query = new URLSearchParams({ ...head === undefined ? {} : { sha: head }, author: login, per_page: `${PER_PAGE}` })
  if (period !== null) query.set("since", DateTime.formatIso(DateTime.subtractDuration(period.from, reach)))
  if (period !== null) query.set("until", DateTime.formatIso(DateTime.addDuration(period.to, reach)))
  return pages(api, `${place}/commits?${query}`, (page) => Effect.sync(() => {
    const { fitting, odd } = JsonApi.sortOut(ListedCommit, page.filter((one) => isNew(one, seen)))
    const read = fitting.flatMap(commitOf).filter((commit) => isInReach(commit, period))
    commits.push(...read.map((commit) => ({ commit, repository: repository.split("/")[1] ?? repository })))
    problems.push(...oddOnes(odd, `commits of ${repository}`))
    return true
  }))
}

/** By its hash; by all that it says where it has none. */
const isNew = (listed: unknown, seen: Set<string>): boolean => {
  const name = hasHash(listed) ? listed.sha : JSON.stringify(listed)
  if (seen.has(name)) return false
  seen.add(name)
  return true
}

const hasHash = Schema.is(Schema.Struct({ sha: Schema.String }))

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
