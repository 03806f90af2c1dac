import { assert, describe, it } from "@effect/vitest"
import { jira } from "@englog/worker/import/jira/Jira"
import { DateTime, Duration, Effect, Stream } from "effect"
import { type Asked, faultsFirst, jsonServer, openFetch, type Reply } from "../support/JsonServer.ts"
import { jobOf, readBy } from "./read.ts"

const jobAt = (base_url: string, email: string | null) => jobOf({ source: "jira", base_url, email, token: "s3cret" })
const read = (base: string, email: string | null = "ada@example.com") => openFetch(readBy(jira, jobAt(base, email)))

const basic = `Basic ${Buffer.from("ada@example.com:s3cret").toString("base64")}`

const issue = (n: number, more: Record<string, unknown> = {}) => ({
  id: `100${n}`,
  key: `ENG-${n}`,
  fields: { summary: `Build part ${n}`, project: { name: "Engine" }, issuetype: { name: n === 2 ? "Bug" : "Story" }, assignee: null, resolutiondate: null, ...more }
})

const worklog = (id: string, author: Record<string, unknown>, started: string, timeSpentSeconds = 5_400) => ({ id, author, comment: `did ${id}`, started, timeSpentSeconds })

const ada = { cloud: { accountId: "5b1:ada" }, server: { key: "JIRAUSER1", name: "ada" } }

const issuesOf = (me: Record<string, unknown>) => [
  issue(1),
  issue(2, { assignee: me, resolutiondate: "2026-03-10T23:30:00.000+0100" }),
  issue(3, { assignee: me, resolutiondate: "2026-03-11T23:30:00.000+0000" }),
  { id: 4, key: "odd" }
]

const worklogsOf = (me: Record<string, unknown>, issue: string) =>
  issue === "1001"
    ? [
      worklog("1", me, "2026-03-02T09:00:00.000+0200"),
      worklog("2", { accountId: "bob", key: "bob" }, "2026-03-02T09:00:00.000+0200"),
      worklog("3", me, "2026-05-02T09:00:00.000-0730"),
      worklog("4", me, "yesterday"),
      worklog("5", me, "2026-03-03T09:00:00.000-0730", 60)
    ]
    : issue === "1002" ? [worklog("6", me, "2026-03-09T09:00:00.000+0000")] : []

/** Two worklogs a page, whatever was asked for: Jira is free to answer less. */
const worklogPage = (me: Record<string, unknown>, { url }: Asked): Reply => {
  const found = worklogsOf(me, url.pathname.split("/").at(-2) ?? "")
  const startAt = Number(url.searchParams.get("startAt") ?? 0)
  return { body: { startAt, maxResults: 2, total: found.length, worklogs: found.slice(startAt, startAt + 2) } }
}

const cloud = (asked: Asked): Reply => {
  const { pathname, searchParams } = asked.url
  if (pathname === "/rest/api/2/serverInfo") return { body: { deploymentType: "Cloud" } }
  if (asked.headers.authorization !== basic) return { status: 401 }
  if (pathname === "/rest/api/2/myself") return { body: ada.cloud }
  if (pathname.endsWith("/worklog")) return worklogPage(ada.cloud, asked)
  if (pathname !== "/rest/api/2/search/jql") return { status: 410 }
  const page = Number(searchParams.get("nextPageToken")?.slice(5) ?? 0)
  const issues = issuesOf(ada.cloud).slice(page, page + 1)
  return { body: page < 3 ? { issues, nextPageToken: `token${page + 1}` } : { issues, isLast: true } }
}

const server = (asked: Asked): Reply => {
  const { pathname, searchParams } = asked.url
  if (asked.headers.authorization !== "Bearer s3cret") return { status: 401 }
  if (pathname === "/jira/rest/api/2/serverInfo") return { body: { deploymentType: "Server", version: "9.12.0" } }
  if (pathname === "/jira/rest/api/2/myself") return { body: ada.server }
  if (pathname.endsWith("/worklog")) return worklogPage(ada.server, asked)
  if (pathname !== "/jira/rest/api/2/search") return { status: 404 }
  const startAt = Number(searchParams.get("startAt") ?? 0)
  return { body: { startAt, maxResults: 1, total: 4, issues: issuesOf(ada.server).slice(startAt, startAt + 1) } }
}

const seen = ({ items }: Effect.Success<ReturnType<typeof read>>, base: string) =>
  items.map((item) => [item.external_id.replace(new URL(base).host, ""), item.title, item.type, DateTime.formatIso(item.start_time), DateTime.formatIso(item.end_time), item.all_day])

const expected = (at: string) => [
  [`${at}/worklog/1`, "ENG-1 Build part 1", "code", "2026-03-02T07:00:00.000Z", "2026-03-02T08:30:00.000Z", false],
  [`${at}/worklog/5`, "ENG-1 Build part 1", "code", "2026-03-03T16:30:00.000Z", "2026-03-03T16:31:00.000Z", false],
  [`${at}/worklog/6`, "ENG-2 Build part 2", "debug", "2026-03-09T09:00:00.000Z", "2026-03-09T10:30:00.000Z", false],
  [`${at}/issue/1003`, "Resolve ENG-3 Build part 3", "code", "2026-03-11T23:00:00.000Z", "2026-03-12T23:00:00.000Z", true]
]

describe("Jira", () => {
  it.live("Cloud gives one's own worklogs and what was resolved without one, of all pages, the same each time", () => Effect.scoped(Effect.gen(function*() {
    const { asked, base } = yield* jsonServer(cloud)
    const found = yield* read(base)
    assert.sameDeepMembers(seen(found, base), expected(""))
    assert.deepInclude(found.items.find(({ external_id }) => external_id.endsWith("/worklog/1")), { source: "jira", description: "did 1", project: "Engine", tags: ["story"] })
    assert.strictEqual(found.skipped, 1)
    assert.sameMembers(found.problems.map(({ error, item }) => `${item}: ${error}`), [
      "ENG-1, worklog 4: its start is no time between the years 1900 and 2199",
      "issues: 1 of them are not as Jira documents them, and were left out"
    ])
    assert.strictEqual(
      asked.find(({ url }) => url.pathname.endsWith("/jql"))?.url.searchParams.get("jql"),
      "(worklogAuthor = currentUser() AND worklogDate >= \"2026-02-28\" AND worklogDate <= \"2026-04-04\") "
        + "OR (assignee = currentUser() AND resolved >= \"2026-02-28\" AND resolved <= \"2026-04-04\") ORDER BY created ASC"
    )
    assert.deepStrictEqual((yield* read(base)).items, found.items)
  })))

  it.live("Server gives the same by places, below a path, to a personal access token", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer(server)
    assert.sameDeepMembers(seen(yield* read(`${base}/jira/`, null), base), expected("/jira"))
  })))

  it.live("is asked again after an outage, an answer that was cut off, and a limit", () => Effect.scoped(Effect.gen(function*() {
    const faults = [{ status: 503 }, { body: { deploymentType: "Cloud" }, cutOff: true }, { status: 429, headers: { "retry-after": "0" } }]
    const { base } = yield* jsonServer(faultsFirst(faults, cloud))
    assert.lengthOf((yield* read(base)).items, 4)
  })))

  it.live("limits what is read before the deadline: the rest is told, with the time to go on", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer((asked) =>
      asked.url.searchParams.has("nextPageToken") ? { status: 429, headers: { "retry-after": "3600" } } : cloud(asked))
    const source = yield* openFetch(jira)
    const [page] = yield* Stream.runCollect(source.read(jobAt(base, "ada@example.com"), Effect.succeed(Duration.minutes(5))))
    assert.lengthOf(page?.items ?? [], 2)
    assert.match(page?.problems.at(-1)?.error ?? "", /^Jira's rate limit is used up: not all issues were read; import again from 20[\dT:.-]+Z on$/)
  })))

  it.live("says what is wrong with a token and an address", () => Effect.scoped(Effect.gen(function*() {
    const failing = (answer: (asked: Asked) => Reply, email: string | null = null) =>
      Effect.flatMap(jsonServer(answer), ({ base }) => Effect.map(Effect.flip(read(base, email)), ({ message, retryable }) => ({ message, retryable })))
    const refused = (message: string) => ({ message, retryable: false })
    assert.deepStrictEqual(yield* failing(cloud), refused("token: Jira does not accept it: it is wrong, expired or revoked, or belongs to another e-mail"))
    assert.deepStrictEqual(yield* failing(() => ({ status: 404 })), refused("base_url: there is no Jira at this address"))
    assert.deepStrictEqual(
      yield* failing(() => ({ status: 403, headers: { "x-authentication-denied-reason": "CAPTCHA_CHALLENGE" } })),
      refused("token: Jira asks for a login in the browser first, after too many wrong ones")
    )
    assert.deepStrictEqual(yield* failing(() => ({ status: 302, headers: { location: "https://example.com/login" } })), refused("base_url: Jira sends elsewhere; name the address to which it leads"))
    assert.deepStrictEqual(yield* failing(() => ({ body: "{\"deploymentType\": " })), { message: "Jira's answer is no whole JSON", retryable: true })
  })))
})
