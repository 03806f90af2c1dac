import { assert, layer } from "@effect/vitest"
import { EntryId, UserId } from "@englog/domain/Ids"
import { DateTime, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { EntryRepo } from "../../src/entries/EntryRepo.ts"
import { entry, register, TestApi } from "../http/TestApi.ts"

const member = (email: string, more: Record<string, unknown> = {}) =>
  Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { id, token } = yield* register(email, more)
    const create = (body: Record<string, unknown> = {}) => ask("POST", "/v1/logs", { token, body: { ...entry, ...body } })
    return {
      id,
      create,
      /** Starts at the instant, lasts half an hour; answers the id. */
      at: (start_time: string, body: Record<string, unknown> = {}) =>
        Effect.map(
          create({ start_time, end_time: DateTime.formatIso(DateTime.add(DateTime.makeUnsafe(start_time), { minutes: 30 })), ...body }),
          (answer) => EntryId.make(String(answer.at("id")))
        ),
      get: (path: string) => ask("GET", path, { token }),
      put: (path: string, body: unknown) => ask("PUT", path, { token, body }),
      remove: (path: string) => ask("DELETE", path, { token }),
      project: (name: string) => Effect.map(ask("POST", "/v1/projects", { token, body: { name } }), (answer) => String(answer.at("id")))
    }
  })

const titles = (answer: { readonly at: (...path: ReadonlyArray<string | number>) => unknown }): ReadonlyArray<unknown> => {
  const items = answer.at("items")
  return Array.isArray(items) ? items.map((_, index) => answer.at("items", index, "title")) : []
}

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("log entries", (it) => {
  it.effect("are recorded with defaults, normalized tags and a computed duration", () => Effect.gen(function*() {
    const ada = yield* member("create@example.com")
    const answer = yield* ada.create({ title: "  Fix it  ", tags: [" Backend", "p1-high", "backend ", "Ärger"] })
    assert.strictEqual(answer.status, 201)
    assert.strictEqual(answer.headers["location"], `/v1/logs/${String(answer.at("id"))}`)
    assert.strictEqual(answer.at("title"), "Fix it")
    assert.deepStrictEqual(answer.at("tags"), ["backend", "p1-high", "ärger"])
    assert.strictEqual(answer.at("duration_minutes"), 90)
    assert.strictEqual(answer.at("value_rating"), "medium")
    assert.strictEqual(answer.at("impact_level"), "personal")
    assert.strictEqual(answer.at("description"), null)
    assert.strictEqual(answer.at("project_name"), null)
    assert.strictEqual(answer.at("user_id"), ada.id)
    assert.deepStrictEqual((yield* ada.get(answer.headers["location"] ?? "")).body, answer.body)
  }))

  it.effect("count characters, not bytes, at their limits", () => Effect.gen(function*() {
    const ada = yield* member("limits@example.com")
    const status = (body: Record<string, unknown>) => Effect.map(ada.create(body), (answer) => answer.status)
    assert.strictEqual(yield* status({ title: "🚀".repeat(200) }), 201)
    assert.strictEqual(yield* status({ title: "🚀".repeat(201) }), 400)
    assert.strictEqual(yield* status({ description: "ä".repeat(2000) }), 201)
    assert.strictEqual(yield* status({ tags: Array.from({ length: 50 }, (_, i) => `${"t".repeat(47)}${i}`) }), 201)
    const tooMany = yield* ada.create({ tags: Array.from({ length: 51 }, (_, i) => `t${i}`) })
    assert.strictEqual(tooMany.error, "tags: must hold at most 50 tags")
    assert.strictEqual(yield* status({ tags: ["t".repeat(51)] }), 400)
  }))

  it.effect("end after they start, and say their zone", () => Effect.gen(function*() {
    const ada = yield* member("times@example.com")
    const error = (body: Record<string, unknown>) => Effect.map(ada.create(body), (answer) => answer.error)
    assert.strictEqual(yield* error({ end_time: entry.start_time }), "end_time: must be after start_time")
    assert.include(yield* error({ start_time: "2026-01-05T09:00:00" }), "start_time: must be an RFC 3339 time with its zone")
    assert.strictEqual(yield* error({ end_time: "2028-01-05T09:00:00Z" }), "end_time: must be at most 366 days after start_time")
    const offset = yield* ada.create({ start_time: "2026-01-05T09:00:00+01:00", end_time: "2026-01-05T09:00:30.5Z" })
    assert.strictEqual(offset.at("start_time"), "2026-01-05T08:00:00.000Z")
    assert.strictEqual(offset.at("end_time"), "2026-01-05T09:00:30.500Z")
    assert.strictEqual(offset.at("duration_minutes"), 61)
  }))

  it.effect("store their description encrypted, bound to the entry", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* member("cipher@example.com")
    const one = yield* ada.create({ description: "between us" })
    const two = yield* ada.create({ description: "something else" })
    const rows = yield* sql`SELECT description FROM log_entries WHERE id = ${String(one.at("id"))}`
    assert.match(String(rows[0]?.["description"]), /^v2:k1:/)
    yield* sql`UPDATE log_entries SET description = ${String(rows[0]?.["description"])} WHERE id = ${String(two.at("id"))}`
    const moved = yield* ada.get(`/v1/logs/${String(two.at("id"))}`)
    assert.strictEqual(moved.status, 500)
    assert.deepStrictEqual(moved.body, { error: "internal error", code: "internal", details: [] })
  }))

  it.effect("can be written back as they were read", () => Effect.gen(function*() {
    const ada = yield* member("round@example.com")
    const project_id = yield* ada.project("Billing")
    const created = yield* ada.create({ project_id, description: "first", tags: ["z", "a"] })
    const path = created.headers["location"] ?? ""
    const again = yield* ada.put(path, created.body)
    assert.strictEqual(again.status, 200)
    assert.deepStrictEqual({ ...Object(again.body), updated_at: null, etag: null }, { ...Object(created.body), updated_at: null, etag: null })
    assert.strictEqual(again.at("project_name"), "Billing")
    const forged = yield* ada.put(path, { ...Object(created.body), id: randomUUID(), user_id: 7, duration_minutes: "many" })
    assert.strictEqual(forged.at("id"), created.at("id"))
    assert.strictEqual(forged.at("user_id"), ada.id)
  }))

  it.effect("are replaced whole: what is left out takes its default", () => Effect.gen(function*() {
    const ada = yield* member("replace@example.com")
    const created = yield* ada.create({ description: "first", tags: ["a", "b"], value_rating: "high", impact_level: "company" })
    const replaced = yield* ada.put(created.headers["location"] ?? "", { ...entry, title: "New", tags: ["c"] })
    assert.strictEqual(replaced.at("description"), null)
    assert.deepStrictEqual(replaced.at("tags"), ["c"])
    assert.strictEqual(replaced.at("value_rating"), "medium")
    const short = yield* ada.put(created.headers["location"] ?? "", { title: "New" })
    assert.deepStrictEqual(short.error.split("; ").sort(), ["end_time: is required", "start_time: is required", "type: is required"])
  }))

  it.effect("are gone once deleted", () => Effect.gen(function*() {
    const ada = yield* member("delete@example.com")
    const path = (yield* ada.create({ tags: ["x"] })).headers["location"] ?? ""
    const removed = yield* ada.remove(path)
    assert.strictEqual(removed.status, 204)
    assert.strictEqual(removed.text, "")
    assert.strictEqual((yield* ada.get(path)).status, 404)
    assert.strictEqual((yield* ada.remove(path)).status, 404)
  }))

  it.effect("of others do not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("ada@example.com"), yield* member("eve@example.com")]
    const path = (yield* ada.create()).headers["location"] ?? ""
    const project_id = yield* ada.project("Ada's own")
    assert.strictEqual((yield* eve.get(path)).status, 404)
    assert.strictEqual((yield* eve.put(path, entry)).status, 404)
    assert.strictEqual((yield* eve.remove(path)).status, 404)
    assert.deepStrictEqual(titles(yield* eve.get("/v1/logs")), [])
    const borrowed = yield* eve.create({ project_id })
    assert.strictEqual(borrowed.status, 400)
    assert.strictEqual(borrowed.error, `project_id: you have no project ${project_id}`)
    assert.strictEqual((yield* ada.get(path)).status, 200)
  }))

  it.effect("share predefined tags and own all others", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* member("tags1@example.com"), yield* member("tags2@example.com")]
    yield* ada.create({ tags: ["security", "mine"] })
    yield* eve.create({ tags: ["mine", "security"] })
    const owners = yield* sql`SELECT name, user_id FROM tags WHERE name IN ('mine', 'security') ORDER BY name, user_id`
    assert.lengthOf(owners.filter((row) => row["name"] === "security" && row["user_id"] === null), 1)
    assert.lengthOf(owners.filter((row) => row["name"] === "mine"), 2)
    assert.lengthOf(owners, 3)
  }))

  it.effect("do not deadlock over new tags in any order", () => Effect.gen(function*() {
    const ada = yield* member("deadlock@example.com")
    const names = Array.from({ length: 20 }, (_, i) => `tag-${i}`)
    const answers = yield* Effect.all(
      Array.from({ length: 12 }, (_, i) => ada.create({ tags: i % 2 === 0 ? names : names.toReversed() })),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual([...new Set(answers.map((answer) => answer.status))], [201])
  }))

  it.effect("are listed by local day, both days inclusive, in the user's zone", () => Effect.gen(function*() {
    const ada = yield* member("days@example.com", { timezone: "America/New_York" })
    yield* ada.at("2026-03-08T04:59:00Z", { title: "7 March, last minute" })
    yield* ada.at("2026-03-08T05:00:00Z", { title: "8 March, first minute" })
    yield* ada.at("2026-03-09T03:59:00Z", { title: "8 March, last minute of 23 hours" })
    yield* ada.at("2026-03-09T04:00:00Z", { title: "9 March, first minute" })
    assert.deepStrictEqual(titles(yield* ada.get("/v1/logs?start_date=2026-03-08&end_date=2026-03-08")), [
      "8 March, last minute of 23 hours",
      "8 March, first minute"
    ])
    assert.deepStrictEqual(titles(yield* ada.get("/v1/logs?end_date=2026-03-07")), ["7 March, last minute"])
    assert.lengthOf(titles(yield* ada.get("/v1/logs?start_date=2026-03-08")), 3)
    const backwards = yield* ada.get("/v1/logs?start_date=2026-03-09&end_date=2026-03-08")
    assert.strictEqual(backwards.error, "end_date: must not be before start_date")
  }))

  it.effect("are filtered by type and project", () => Effect.gen(function*() {
    const ada = yield* member("filter@example.com")
    const project_id = yield* ada.project("P")
    yield* ada.create({ title: "code", project_id })
    yield* ada.create({ title: "meeting", type: "meeting", project_id })
    yield* ada.create({ title: "elsewhere" })
    assert.deepStrictEqual(titles(yield* ada.get(`/v1/logs?project_id=${project_id}&type=code`)), ["code"])
    assert.deepStrictEqual(titles(yield* ada.get("/v1/logs?type=meeting")), ["meeting"])
    assert.deepStrictEqual(titles(yield* ada.get(`/v1/logs?project_id=${randomUUID()}`)), [])
  }))

  it.effect("come page by page, newest first, none twice and none left out, though many start together", () => Effect.gen(function*() {
    const ada = yield* member("pages@example.com")
    for (let i = 0; i < 7; i++) yield* ada.create({ title: `same ${i}` })
    yield* ada.at("2026-01-06T09:00:00Z", { title: "newest" })
    yield* ada.at("2026-01-04T09:00:00Z", { title: "oldest" })
    const seen: Array<unknown> = []
    let cursor: unknown = ""
    let pages = 0
    while (cursor !== null) {
      const page = yield* ada.get(`/v1/logs?limit=2${cursor === "" ? "" : `&cursor=${String(cursor)}`}`)
      seen.push(...titles(page))
      cursor = page.at("next_cursor")
      pages++
    }
    assert.strictEqual(pages, 5)
    assert.strictEqual(seen[0], "newest")
    assert.strictEqual(seen[8], "oldest")
    assert.strictEqual(new Set(seen).size, 9)
    assert.strictEqual((yield* ada.get("/v1/logs?limit=9")).at("next_cursor"), null)
  }))

  it.effect("refuse a cursor that is none", () => Effect.gen(function*() {
    const ada = yield* member("cursor@example.com")
    for (const forged of ["abc", Buffer.from("9".repeat(30)).toString("base64url"), Buffer.from("1.x").toString("base64url")]) {
      const answer = yield* ada.get(`/v1/logs?cursor=${forged}`)
      assert.strictEqual(answer.status, 400)
      assert.strictEqual(answer.error, "cursor: is not a next_cursor of an earlier page")
    }
    const far = Buffer.from(`9999999999999999.${randomUUID()}`).toString("base64url")
    assert.strictEqual((yield* ada.get(`/v1/logs?cursor=${far}`)).status, 200)
  }))

  it.effect("are found for other parts of the API, oldest first, within their transaction", () => Effect.gen(function*() {
    const repo = yield* EntryRepo
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* member("repo1@example.com"), yield* member("repo2@example.com")]
    const late = yield* ada.at("2026-01-07T09:00:00Z", { description: "late" })
    const early = yield* ada.at("2026-01-05T09:00:00Z")
    const foreign = yield* eve.at("2026-01-06T09:00:00Z")
    const absent = EntryId.make(randomUUID())
    const owner = UserId.make(ada.id)
    yield* sql.withTransaction(Effect.gen(function*() {
      const owned = yield* repo.findOwned(owner, [late, foreign, early, absent])
      assert.deepStrictEqual(owned.map((found) => found.id), [early, late])
      assert.strictEqual(owned[1]?.description, "late")
      assert.deepStrictEqual(yield* repo.findMissing(owner, [absent, late, foreign]), [absent, foreign])
      const [from, to] = [DateTime.makeUnsafe("2026-01-05T09:00:00Z"), DateTime.makeUnsafe("2026-01-07T09:00:00Z")] as const
      const period = yield* repo.findInPeriod(owner, from, to)
      assert.deepStrictEqual(period.map((found) => found.id), [early])
      assert.strictEqual(yield* repo.countInPeriod(owner, from, to), 1)
      assert.deepStrictEqual(yield* repo.findOwned(owner, []), [])
    }))
  }))
})
