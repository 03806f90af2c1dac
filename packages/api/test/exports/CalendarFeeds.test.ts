import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import ICAL from "ical.js"
import { randomUUID } from "node:crypto"
import { TestApi } from "../http/TestApi.ts"
import { engineer } from "../support/Engineer.ts"

type Engineer = Effect.Success<ReturnType<typeof engineer>>

const made = Effect.fnUntraced(function*(owner: Engineer, body: Record<string, unknown> = {}) {
  const answer = yield* owner.post("/v1/export/ics/feeds", { name: "Work", ...body })
  if (answer.status !== 201) return yield* Effect.die(new Error(answer.text))
  const url = new URL(String(answer.at("url")))
  return { id: String(answer.at("id")), url, path: url.pathname, answer }
})

const read = (path: string, headers: Record<string, string> = {}) => TestApi.use(({ ask }) => ask("GET", path, { headers }))

/** The events of a calendar, as another library's parser reads them. */
const eventsOf = (text: string) => {
  const calendar = new ICAL.Component(ICAL.parse(text))
  return calendar.getAllSubcomponents("vevent").map((event) => {
    const value = (name: string) => event.getFirstPropertyValue(name)
    return {
      uid: value("uid"),
      start: String(value("dtstart")),
      end: String(value("dtend")),
      summary: value("summary"),
      description: value("description"),
      categories: event.getFirstProperty("categories")?.getValues() ?? []
    }
  })
}

const record = (owner: Engineer, body: Record<string, unknown> = {}) =>
  owner.record({
    title: "Fix; the, login\\race", description: "Secret\nplan", tags: ["rust", "a,b"], type: "debug",
    start_time: "2026-03-29T00:30:00.250Z", end_time: "2026-03-29T02:00:00Z", ...body
  })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("a calendar feed", (it) => {
  it.effect("is read without a login at an address that is told once", () => Effect.gen(function*() {
    const ada = yield* engineer("feed@example.com", { timezone: "Europe/Berlin" })
    yield* record(ada)
    const { answer, id, path, url } = yield* made(ada)
    assert.match(path, /^\/v1\/feeds\/feed_[\w-]{43}\.ics$/)
    assert.match(url.origin, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.strictEqual(answer.headers["location"], `/v1/export/ics/feeds/${id}`)
    assert.deepInclude(answer.body, { name: "Work", disclosure: "busy", filter: {}, last_read_at: null })
    const feed = yield* read(path)
    assert.strictEqual(feed.status, 200)
    assert.strictEqual(feed.headers["content-type"], "text/calendar; charset=utf-8")
    assert.strictEqual(feed.headers["cache-control"], "private, no-cache")
    assert.lengthOf(eventsOf(feed.text), 1)
    const list = yield* ada.get("/v1/export/ics/feeds")
    assert.deepInclude(list.at("items", 0), { id, name: "Work" })
    assert.isString(list.at("items", 0, "last_read_at"))
    assert.notInclude(list.text, path)
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT to_jsonb(f)::text || encode(secret_hash, 'escape') AS text FROM calendar_feeds f WHERE id = ${id}`
    assert.notInclude(String(rows[0]?.["text"]), path.slice("/v1/feeds/feed_".length, -".ics".length))
    assert.notInclude(String(rows[0]?.["text"]), "Work")
  }))

  it.effect("tells what its owner chose, and nothing else", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-disclosure@example.com")
    const project_id = yield* ada.project("Billing")
    yield* record(ada, { project_id })
    const of = (disclosure: string) => Effect.flatMap(made(ada, { disclosure }), ({ path }) => read(path))
    const busy = yield* of("busy")
    const when = { start: "2026-03-29T00:30:00Z", end: "2026-03-29T02:00:00Z" }
    assert.deepInclude(eventsOf(busy.text)[0], { ...when, summary: "Busy", description: null, categories: [] })
    for (const word of ["login", "Secret", "Billing", "rust", "debug"]) assert.notInclude(busy.text, word)
    const titles = yield* of("titles")
    assert.deepInclude(eventsOf(titles.text)[0], { ...when, summary: "Fix; the, login\\race", description: null, categories: ["debug"] })
    for (const word of ["Secret", "Billing", "rust"]) assert.notInclude(titles.text, word)
    const details = yield* of("details")
    assert.deepInclude(eventsOf(details.text)[0], {
      ...when, summary: "Fix; the, login\\race", description: "Project: Billing\n\nSecret\nplan", categories: ["debug", "rust", "a,b"]
    })
  }))

  it.effect("keeps to RFC 5545: short lines, CRLF, UTC, no control characters, the same UIDs again", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-rfc@example.com")
    yield* record(ada, { title: `日本語🎉${"長い".repeat(60)}`, description: "a\u0007b\rc\r\nd\te\nBEGIN:VEVENT" })
    // Less than a second long: an event ends after it began.
    yield* record(ada, { start_time: "2026-03-30T00:00:00.100Z", end_time: "2026-03-30T00:00:00.200Z" })
    const { path } = yield* made(ada, { name: "Work, \"and\" more\u0001", disclosure: "details" })
    const { text } = yield* read(path)
    const lines = text.split("\r\n")
    assert.strictEqual(lines.at(-1), "")
    assert.strictEqual(lines.at(-2), "END:VCALENDAR")
    assert.isTrue(lines.every((line) => Buffer.byteLength(line) <= 75 && !line.includes("\n")))
    // eslint-disable-next-line no-control-regex
    assert.notMatch(text.replaceAll("\r\n", ""), /[\u0000-\u0008\u000a-\u001f\u007f]/)
    const calendar = new ICAL.Component(ICAL.parse(text))
    assert.strictEqual(calendar.getFirstPropertyValue("version"), "2.0")
    assert.strictEqual(calendar.getFirstPropertyValue("x-wr-calname"), "Work, \"and\" more")
    const events = eventsOf(text)
    assert.strictEqual(events[1]?.description, "ab\nc\nd\te\nBEGIN:VEVENT")
    assert.strictEqual(events[1]?.summary, `日本語🎉${"長い".repeat(60)}`)
    assert.deepStrictEqual([events[0]?.start, events[0]?.end], ["2026-03-30T00:00:00Z", "2026-03-30T00:00:01Z"])
    const dates = text.match(/^(DTSTAMP|DTSTART|DTEND|LAST-MODIFIED):.*$/gm) ?? []
    assert.lengthOf(dates, 8)
    assert.isTrue(dates.every((line) => /:\d{8}T\d{6}Z$/.test(line)))
    assert.deepStrictEqual(eventsOf((yield* read(path)).text).map(({ uid }) => uid), events.map(({ uid }) => uid))
  }))

  it.effect("has only what fits its filter and has ended, newest first", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-filter@example.com", { timezone: "Asia/Tokyo" })
    yield* (yield* engineer("feed-filter-eve@example.com")).record({ title: "hers" })
    yield* record(ada, { title: "before", start_time: "2026-01-04T14:59:00Z", end_time: "2026-01-04T15:30:00Z" })
    yield* record(ada, { title: "in", start_time: "2026-01-04T15:00:00Z", end_time: "2026-01-04T16:00:00Z" })
    yield* record(ada, { title: "later", start_time: "2026-01-05T15:00:00Z", end_time: "2026-01-05T16:00:00Z", type: "meeting" })
    yield* record(ada, { title: "running", end_time: null, start_time: "2026-01-05T15:00:00Z" })
    const titles = (filter: Record<string, unknown>) =>
      Effect.map(Effect.flatMap(made(ada, { disclosure: "titles", filter }), ({ path }) => read(path)), ({ text }) => eventsOf(text).map(({ summary }) => summary))
    assert.deepStrictEqual(yield* titles({}), ["later", "in", "before"])
    assert.deepStrictEqual(yield* titles({ start_date: "2026-01-05", end_date: "2026-01-05" }), ["in"])
    assert.deepStrictEqual(yield* titles({ type: "meeting" }), ["later"])
    assert.deepStrictEqual(yield* titles({ tags: ["RUST"], q: "LATER" }), ["later"])
    assert.deepStrictEqual(yield* titles({ value_rating: "high" }), [])
  }))

  it.effect("has the newest 5,000 entries", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-many@example.com")
    yield* SqlClient.SqlClient.use((sql) => sql`
      INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
      SELECT gen_random_uuid(), ${ada.id}::uuid, 'entry ' || n, 'code', timestamptz '2020-01-01T00:00:00Z' + n * interval '1 hour',
        timestamptz '2020-01-01T01:00:00Z' + n * interval '1 hour'
      FROM generate_series(1, 5100) AS n`)
    const { path } = yield* made(ada, { disclosure: "titles" })
    const events = eventsOf((yield* read(path)).text)
    assert.deepStrictEqual([events.length, events[0]?.summary, events.at(-1)?.summary], [5_000, "entry 5100", "entry 101"])
  }), 30_000)

  it.effect("is not sent again to who has it, until something changes", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-etag@example.com")
    const entry = yield* record(ada)
    const { path } = yield* made(ada)
    const first = yield* read(path)
    const etag = first.headers["etag"] ?? ""
    assert.match(etag, /^"[\w-]{22}"$/)
    const again = yield* read(path, { "if-none-match": `W/${etag}` })
    assert.deepStrictEqual([again.status, again.text, again.headers["etag"]], [304, "", etag])
    yield* ada.put(entry, { title: "Fix", type: "code", start_time: "2026-03-29T00:00:00Z", end_time: "2026-03-29T02:00:00Z" })
    const changed = yield* read(path, { "if-none-match": etag })
    assert.strictEqual(changed.status, 200)
    assert.notStrictEqual(changed.headers["etag"], etag)
  }))

  it.effect("answers 404 once it is revoked, as any address that was never given", () => Effect.gen(function*() {
    const [ada, eve] = [yield* engineer("feed-revoked@example.com"), yield* engineer("feed-revoked-eve@example.com")]
    const { id, path } = yield* made(ada)
    assert.strictEqual((yield* read(path)).status, 200)
    assert.strictEqual((yield* eve.remove(`/v1/export/ics/feeds/${id}`)).status, 404)
    assert.strictEqual((yield* read(path)).status, 200)
    assert.strictEqual((yield* ada.remove(`/v1/export/ics/feeds/${id}`)).status, 204)
    assert.strictEqual((yield* ada.remove(`/v1/export/ics/feeds/${id}`)).status, 404)
    for (const gone of [path, "/v1/feeds/feed_x.ics", `/v1/feeds/${id}.ics`]) {
      const answer = yield* read(gone)
      assert.deepStrictEqual([answer.status, answer.error], [404, "there is no such calendar feed, or it was revoked"])
    }
  }))

  it.effect("is refused where it cannot be: names, filters, somebody else's project, API tokens, one too many", () => Effect.gen(function*() {
    const [ada, eve] = [yield* engineer("feed-wrong@example.com"), yield* engineer("feed-wrong-eve@example.com")]
    const error = (body: Record<string, unknown>) => Effect.map(ada.post("/v1/export/ics/feeds", { name: "F", ...body }), ({ error, status }) => `${status} ${error}`)
    assert.strictEqual(yield* error({ name: " " }), "400 name: must not be empty")
    assert.include(yield* error({ disclosure: "all" }), "400 disclosure: ")
    assert.strictEqual(yield* error({ filter: { running: true } }), "400 unknown field \"filter.running\"")
    assert.strictEqual(yield* error({ filter: { start_date: "2026-02-01", end_date: "2026-01-01" } }), "400 filter.end_date: must not be before start_date")
    const [hers, nobodys] = [yield* eve.project("P"), randomUUID()]
    for (const project_id of [hers, nobodys]) {
      assert.strictEqual(yield* error({ filter: { project_id } }), `400 filter.project_id: you have no project ${project_id}`)
    }
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      INSERT INTO calendar_feeds (id, user_id, name, disclosure, filter, secret_hash)
      SELECT gen_random_uuid(), ${ada.id}::uuid, f.name, 'busy', f.filter, sha256(n::text::bytea) FROM generate_series(1, 49) AS n,
        (SELECT name, filter FROM calendar_feeds LIMIT 1) AS f`
    assert.strictEqual((yield* ada.post("/v1/export/ics/feeds", { name: "F" })).status, 201)
    assert.strictEqual(yield* error({}), "409 you have 50 calendar feeds already; revoke one first")
  }))

  it.effect("is listed page by page, newest first", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-pages@example.com")
    for (const name of ["one", "two", "three"]) yield* made(ada, { name })
    const first = yield* ada.get("/v1/export/ics/feeds?limit=2")
    assert.deepStrictEqual([first.at("items", 0, "name"), first.at("items", 1, "name")], ["three", "two"])
    const second = yield* ada.get(`/v1/export/ics/feeds?limit=2&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual([second.at("items", 0, "name"), second.at("next_cursor")], ["one", null])
  }))

  it.effect("may be read sixty times a minute", () => Effect.gen(function*() {
    const ada = yield* engineer("feed-often@example.com")
    const [one, other] = [yield* made(ada), yield* made(ada)]
    for (let times = 0; times < 30; times++) assert.strictEqual((yield* read(one.path)).status, 200)
    // A minute may end in between: then there is room once more.
    const refused = yield* Effect.repeat(read(one.path), { until: ({ status }) => status !== 200, times: 100 })
    assert.strictEqual(refused.status, 429)
    assert.isAbove(Number(refused.headers["retry-after"]), 0)
    assert.strictEqual((yield* read(other.path)).status, 200)
  }))
})
