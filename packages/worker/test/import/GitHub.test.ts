import { assert, describe, it } from "@effect/vitest"
import { github } from "@englog/worker/import/github/GitHub"
import { DateTime, Duration, Effect, Stream } from "effect"
import { type Asked, faultsFirst, jsonServer, openFetch, type Reply } from "../support/JsonServer.ts"
import { jobOf, readBy } from "./read.ts"

const jobAt = (base_url: string, more: Record<string, unknown> = {}) =>
  jobOf({ source: "github", base_url, token: "s3cret", repositories: ["ada/engine"], login: null, ...more })

const read = (base: string, more: Record<string, unknown> = {}) => openFetch(readBy(github, jobAt(base, more)))

const commit = (n: number) => ({
  sha: `sha-${n}`,
  commit: { author: { name: "Ada", email: "ada@example.com", date: `2026-03-${String(n).padStart(2, "0")}T10:00:00Z` }, message: `fix: bug ${n}\n\nSlowly.` },
  parents: [{}]
})

const pull = (number: number, login: string) => ({
  node_id: `PR_${number}`, number, title: `Change ${number}`, body: null, html_url: `https://github.com/ada/engine/pull/${number}`,
  user: { login }, created_at: "2026-03-05T10:00:00Z", updated_at: `2026-03-${20 - number}T10:00:00Z`
})

const review = (id: string, login: string, submitted_at?: string) => ({
  node_id: id, body: "Fine", html_url: "https://github.com/x", user: { login }, ...(submitted_at === undefined ? {} : { submitted_at })
})

/** Three pages of each listing, linked as GitHub does. */
const paged = (pages: ReadonlyArray<ReadonlyArray<unknown>>, { url }: Asked): Reply => {
  const page = Number(url.searchParams.get("page") ?? 1)
  const next = new URL(url)
  next.searchParams.set("page", `${page + 1}`)
  const first = new URL(url)
  first.searchParams.set("page", "1")
  return {
    body: pages[page - 1] ?? [],
    headers: page < pages.length ? { link: `<${first.href}>; rel="first", <${next.href}>; rel="next"` } : { link: `<${first.href}>; rel="first"` }
  }
}

const documented = (asked: Asked): Reply => {
  const { pathname } = asked.url
  if (asked.headers.authorization !== "Bearer s3cret") return { status: 401, body: { message: "Bad credentials" } }
  if (pathname === "/user") return { body: { login: "Ada" } }
  if (pathname === "/repos/ada/engine/commits") return paged([[commit(9), commit(8)], [commit(7), { sha: "odd" }], [commit(6)]], asked)
  if (pathname.endsWith("/branches")) return { body: [] }
  if (pathname === "/repos/ada/engine/pulls") return paged([[pull(1, "ada")], [pull(2, "bob")], [{ ...pull(3, "ada"), updated_at: "2026-01-01T00:00:00Z" }]], asked)
  if (pathname.endsWith("/2/reviews")) return paged([[review("R1", "bob", "2026-03-06T10:00:00Z")], [review("R2", "ADA", "2026-03-07T10:00:00Z")], [review("R3", "ada")]], asked)
  return pathname.endsWith("/reviews") ? { body: [] } : { status: 404, body: { message: "Not Found" } }
}

const branch = (name: string, n: number) => ({ name, commit: { sha: `sha-${n}` }, protected: false })

/** Six branches on two pages: two end at one commit, one at a commit of the default branch, and one is gone before it is read. */
const branches = [[branch("feature", 12), branch("gone", 99), branch("main", 9)], [branch("old", 7), branch("same", 12), branch("z", 14), { name: "odd" }]]

/** What can be reached from the head of each; without one, of the default branch. */
const reachable: Readonly<Record<string, ReadonlyArray<ReadonlyArray<unknown>>>> = {
  "sha-12": [[commit(12), commit(11)], [commit(8), { sha: "odd" }, commit(5)]],
  "sha-14": [[commit(14), commit(12), commit(8)]]
}

const branched = (asked: Asked): Reply => {
  const { pathname, searchParams } = asked.url
  if (pathname === "/repos/ada/engine/branches") return paged(branches, asked)
  const head = pathname === "/repos/ada/engine/commits" ? searchParams.get("sha") : null
  if (head === null) return documented(asked)
  return reachable[head] === undefined ? { status: 404, body: { message: `No commit found for SHA: ${head}` } } : paged(reachable[head] ?? [], asked)
}

const failing = (reply: (asked: Asked, base: string) => Reply, more: Record<string, unknown> = {}) =>
  Effect.gen(function*() {
    const { base } = yield* jsonServer(reply)
    const { message, retryable } = yield* Effect.flip(read(base, more))
    assert.notInclude(message, "s3cret")
    return { message, retryable }
  })

describe("GitHub", () => {
  it.live("gives one's own commits, pull requests and reviews of all pages, the same each time", () => Effect.scoped(Effect.gen(function*() {
    const { asked, base } = yield* jsonServer(documented)
    const { items, problems } = yield* read(base)
    assert.sameMembers(items.map(({ external_id }) => external_id), ["sha-6", "sha-7", "sha-8", "sha-9", "PR_1", "R2"])
    assert.deepStrictEqual(problems.map(({ error, item }) => `${item}: ${error}`), ["commits of ada/engine: 1 of them are not as GitHub documents them, and were left out"])
    const byId = new Map(items.map((item) => [item.external_id, item]))
    assert.deepInclude(byId.get("sha-9"), { source: "github", title: "fix: bug 9", description: "Slowly.", type: "debug", project: "engine" })
    assert.deepInclude(byId.get("PR_1"), { title: "Open pull request #1: Change 1", type: "code" })
    const reviewed = byId.get("R2")
    assert.deepInclude(reviewed, { title: "Review pull request #2: Change 2", type: "review" })
    assert.deepStrictEqual(reviewed && [DateTime.formatIso(reviewed.start_time), DateTime.formatIso(reviewed.end_time)], ["2026-03-07T09:30:00.000Z", "2026-03-07T10:00:00.000Z"])
    const commits = asked.find(({ url }) => url.pathname.endsWith("/commits"))?.url.searchParams
    assert.deepStrictEqual([commits?.get("author"), commits?.get("since")], ["ada", "2026-02-28T20:00:00.000Z"])
    assert.isFalse(asked.some(({ url }) => url.pathname.endsWith("/3/reviews")), "what has not changed since is not asked about")
    assert.deepStrictEqual((yield* read(base)).items, items)
  })))

  it.live("gives one's own commits of all branches, each once, and asks nothing of a branch that was read with another one", () => Effect.scoped(Effect.gen(function*() {
    const { asked, base } = yield* jsonServer(branched)
    const { items, problems } = yield* read(base)
    assert.sameMembers(items.map(({ external_id }) => external_id), [5, 6, 7, 8, 9, 11, 12, 14].map((n) => `sha-${n}`).concat("PR_1", "R2"))
    assert.deepStrictEqual(problems.map(({ error, item }) => `${item}: ${error}`), [
      "commits of ada/engine: 1 of them are not as GitHub documents them, and were left out",
      "branches of ada/engine: 1 of them are not as GitHub documents them, and were left out",
      "commits of ada/engine, branch gone: the branch was deleted while it was read"
    ])
    const commits = asked.filter(({ url }) => url.pathname.endsWith("/commits")).map(({ url }) => url.searchParams)
    assert.deepStrictEqual(commits.map((query) => `${query.get("sha")} ${query.get("page") ?? 1}`), ["null 1", "null 2", "null 3", "sha-12 1", "sha-12 2", "sha-99 1", "sha-14 1"])
    for (const query of commits) assert.deepStrictEqual([query.get("author"), query.get("since")], ["ada", "2026-02-28T20:00:00.000Z"])
    assert.deepStrictEqual((yield* read(base)).items, items)
  })))

  it.live("limits between branches: what was read of the others is handed in, and the rest is told", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer((asked) =>
      asked.url.searchParams.get("sha") === "sha-14" ? { status: 403, headers: { "x-ratelimit-remaining": "0", "retry-after": "3600" }, body: { message: "API rate limit exceeded" } } : branched(asked))
    const source = yield* openFetch(github)
    const [page] = yield* Stream.runCollect(source.read(jobAt(base), Effect.succeed(Duration.minutes(5))))
    assert.sameMembers(page?.items.map(({ external_id }) => external_id) ?? [], [5, 6, 7, 8, 9, 11, 12].map((n) => `sha-${n}`))
    assert.match(page?.problems.at(-1)?.error ?? "", /^GitHub's rate limit is used up: not everything of ada\/engine was read; import again from /)
  })))

  it.live("reads 500 branches at most, and says how many there are", () => Effect.scoped(Effect.gen(function*() {
    const many = Array.from({ length: 6 }, (_, page) => Array.from({ length: 100 }, (_, index) => branch(`b${page}-${index}`, 1_000 + page * 100 + index)))
    const { asked, base } = yield* jsonServer((asked) => {
      if (asked.url.pathname === "/repos/ada/engine/branches") return paged(many, asked)
      return asked.url.searchParams.has("sha") ? { body: [] } : documented(asked)
    })
    const { problems } = yield* read(base)
    assert.strictEqual(problems.at(-1)?.error, "100 of 600 branches were not read: at most 500 are")
    assert.lengthOf(asked.filter(({ url }) => url.searchParams.has("sha")), 500)
  })), 60_000)

  it.live("is asked again after an outage, an answer that was cut off, and limits of both kinds", () => Effect.scoped(Effect.gen(function*() {
    const reset = `${Math.floor(DateTime.toEpochMillis(yield* DateTime.now) / 1_000)}`
    const { base } = yield* jsonServer(faultsFirst([
      { status: 502, body: "<html>" },
      { body: { login: "ada" }, cutOff: true },
      { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }, body: { message: "API rate limit exceeded" } },
      { status: 403, headers: { "retry-after": "0" }, body: { message: "You have exceeded a secondary rate limit" } },
      { status: 429, headers: { "retry-after": "0" } }
    ], documented))
    assert.lengthOf((yield* read(base)).items, 6)
  })))

  it.live("limits what is read before the deadline: the rest is told, with the time to go on", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer((asked) =>
      asked.url.pathname.endsWith("/pulls") ? { status: 429, headers: { "retry-after": "3600" } } : documented(asked))
    const source = yield* openFetch(github)
    const [page] = yield* Stream.runCollect(source.read(jobAt(base, { repositories: ["ada/engine", "ada/notes"] }), Effect.succeed(Duration.minutes(5))))
    assert.sameMembers(page?.items.map(({ external_id }) => external_id) ?? [], ["sha-6", "sha-7", "sha-8", "sha-9"])
    assert.match(
      page?.problems.at(-1)?.error ?? "",
      /^GitHub's rate limit is used up: not everything of ada\/engine, ada\/notes was read; import again from 20\d\d-\d\d-\d\dT[\d:.]+Z on$/
    )
  })))

  it.live("says what is wrong with a token, a repository and an address", () => Effect.scoped(Effect.gen(function*() {
    const refused = (message: string) => ({ message, retryable: false })
    assert.deepStrictEqual(yield* failing(() => ({ status: 401 })), refused("token: GitHub does not accept it: it is wrong, expired or revoked"))
    assert.deepStrictEqual(yield* failing(documented, { repositories: ["ada/none"] }), refused("ada/none: GitHub has none that this token may read"))
    const sso = (asked: Asked) => asked.url.pathname === "/user" ? documented(asked) : { status: 403, headers: { "x-github-sso": "required; url=https://github.com/orgs/ada/sso" } }
    assert.deepStrictEqual(yield* failing(sso), refused("token: the organization of ada/engine asks for single sign-on; authorize the token for it in GitHub's settings"))
    const down = yield* failing(() => ({ status: 500 }))
    assert.deepStrictEqual(down, { message: "GitHub answered 500", retryable: true })
    assert.deepStrictEqual(yield* failing(() => ({ body: "{\"login\": \"a" })), { message: "GitHub's answer is no whole JSON", retryable: true })
  })))

  it.live("is not given the token where a next page or a redirect leads elsewhere", () => Effect.scoped(Effect.gen(function*() {
    const elsewhere = yield* jsonServer(() => ({ body: [] }))
    const linking = (asked: Asked): Reply =>
      asked.url.pathname === "/user" ? documented(asked) : { body: [], headers: { link: `<${elsewhere.base}/repos>; rel="next"` } }
    assert.deepStrictEqual(yield* failing(linking), { message: "GitHub names a next page at another address", retryable: false })
    const redirecting = (asked: Asked): Reply =>
      asked.url.pathname === "/user" ? documented(asked) : { status: 301, headers: { location: `${elsewhere.base}/repos` } }
    assert.deepStrictEqual(yield* failing(redirecting), { message: "GitHub answered 301 for ada/engine", retryable: false })
    assert.deepStrictEqual(elsewhere.asked, [])
  })))

  it.live("has a renamed repository found, and one without commits have none", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer((asked, at) => {
      const { pathname, search } = asked.url
      if (pathname === "/repos/ada/old/commits") return { status: 301, headers: { location: `${at}/repos/ada/engine/commits${search}` } }
      return pathname.startsWith("/repos/ada/old") ? { body: [] } : pathname === "/repos/ada/empty/commits" ? { status: 409 } : pathname.startsWith("/repos/ada/empty") ? { body: [] } : documented(asked)
    })
    assert.lengthOf((yield* read(base, { repositories: ["ada/old", "ada/empty"] })).items, 4)
  })))
})
