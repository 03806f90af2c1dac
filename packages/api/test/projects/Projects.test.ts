import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { register, TestApi } from "../http/TestApi.ts"
import { each, joins, member } from "../support/Members.ts"

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("projects", (it) => {
  it.effect("are created with defaults and read back", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { id, token } = yield* register("projects@example.com")
    const created = yield* ask("POST", "/v1/projects", { token, body: { name: " Billing ", start_date: "2026-01-05", color: "#1F77B4" } })
    assert.strictEqual(created.status, 201)
    assert.strictEqual(created.at("name"), "Billing")
    assert.strictEqual(created.at("status"), "active")
    assert.strictEqual(created.at("color"), "#1f77b4")
    assert.strictEqual(created.at("start_date"), "2026-01-05")
    assert.strictEqual(created.at("end_date"), null)
    assert.strictEqual(created.at("created_by"), id)
    assert.strictEqual(created.at("team_id"), null)
    assert.strictEqual(created.at("is_default"), false)
    assert.strictEqual(created.at("archived_at"), null)
    const read = yield* ask("GET", created.headers["location"] ?? "", { token })
    assert.deepStrictEqual(read.body, created.body)
  }))

  it.effect("refuse an end before the start, unknown states and colours that are none", () => Effect.gen(function*() {
    const ada = yield* member("wrong-projects@example.com")
    const error = (body: Record<string, unknown>) => Effect.map(ada.post("/v1/projects", { name: "P", ...body }), (answer) => answer.error)
    assert.strictEqual(yield* error({ start_date: "2026-02-01", end_date: "2026-01-01" }), "end_date: must not be before start_date")
    assert.strictEqual(yield* error({ status: "done" }), "status: must be one of active, completed, on_hold, cancelled")
    for (const color of ["red", "#12345", "#1234567", "#12345g", "1f77b4", ""]) {
      assert.strictEqual(yield* error({ color }), "color: must be a colour as #rrggbb, such as #1f77b4")
    }
  }))

  it.effect("can be written back as they were read, and are replaced whole", () => Effect.gen(function*() {
    const ada = yield* member("replace-projects@example.com")
    const created = yield* ada.post("/v1/projects", { name: "Old", description: "secret", color: "#000000", start_date: "2026-01-05" })
    const path = created.headers["location"] ?? ""
    const again = yield* ada.put(path, created.body)
    assert.deepStrictEqual({ ...Object(again.body), updated_at: null, etag: null }, { ...Object(created.body), updated_at: null, etag: null })
    const replaced = yield* ada.put(path, { name: "New", status: "completed" })
    assert.deepInclude(replaced.body, { name: "New", status: "completed", description: null, color: null, start_date: null })
  }))

  it.effect("of others do not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("p-ada@example.com"), yield* member("p-eve@example.com")]
    const id = yield* ada.project()
    const path = `/v1/projects/${id}`
    assert.deepStrictEqual(each(yield* eve.get("/v1/projects?archived=all"), "id"), [])
    const answers = [
      yield* eve.get(path), yield* eve.put(path, { name: "Mine" }), yield* eve.remove(path), yield* eve.post(`${path}/archive`),
      yield* eve.post(`${path}/unarchive`), yield* eve.put(`${path}/default`), yield* eve.remove(`${path}/default`), yield* eve.get(`${path}/stats`),
      yield* eve.get(`${path}/sharing`), yield* eve.put(`${path}/sharing`, { level: "entries" })
    ]
    assert.deepStrictEqual(answers.map((answer) => [answer.status, answer.error]), answers.map(() => [404, `you have no project ${id}`]))
    assert.deepInclude((yield* ada.get(path)).body, { name: "P", archived_at: null })
  }))

  it.effect("come page by page, newest first", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register("many-projects@example.com")
    for (const name of ["one", "two", "three"]) yield* ask("POST", "/v1/projects", { token, body: { name } })
    const first = yield* ask("GET", "/v1/projects?limit=2", { token })
    assert.strictEqual(first.at("items", 0, "name"), "three")
    assert.strictEqual(first.at("items", 1, "name"), "two")
    const second = yield* ask("GET", `/v1/projects?limit=2&cursor=${String(first.at("next_cursor"))}`, { token })
    assert.strictEqual(second.at("items", 0, "name"), "one")
    assert.strictEqual(second.at("next_cursor"), null)
  }))

  it.effect("are filtered by state, archive and team", () => Effect.gen(function*() {
    const ada = yield* member("filter-projects@example.com")
    const team = yield* ada.team()
    const [own, done, old, shared] = [
      yield* ada.project(), yield* ada.project({ status: "completed" }), yield* ada.project(), yield* ada.project({ team_id: team })
    ]
    yield* ada.post(`/v1/projects/${old}/archive`)
    const ids = (query: string) => Effect.map(ada.get(`/v1/projects${query}`), (answer) => each(answer, "id"))
    assert.deepStrictEqual(yield* ids(""), [shared, done, own])
    assert.deepStrictEqual(yield* ids("?archived=true"), [old])
    assert.deepStrictEqual(yield* ids("?archived=all"), [shared, old, done, own])
    assert.deepStrictEqual(yield* ids("?status=completed"), [done])
    assert.deepStrictEqual(yield* ids(`?team_id=${team}`), [shared])
    assert.deepStrictEqual(yield* ids(`?team_id=${randomUUID()}`), [])
    assert.include((yield* ada.get("/v1/projects?archived=maybe")).error, "archived: must be one of true, false, all")
  }))

  it.effect("leave their entries behind when they are deleted", () => Effect.gen(function*() {
    const ada = yield* member("delete-projects@example.com")
    const project_id = yield* ada.project()
    const entry = yield* ada.at("2026-01-05T09:00:00Z", 30, { project_id })
    assert.strictEqual((yield* ada.remove(`/v1/projects/${project_id}`)).status, 204)
    assert.strictEqual((yield* ada.get(`/v1/projects/${project_id}`)).status, 404)
    assert.deepInclude((yield* ada.get(`/v1/logs/${entry}`)).body, { project_id: null, project_name: null })
    assert.strictEqual((yield* ada.remove(`/v1/projects/${project_id}`)).status, 404)
  }))

  it.effect("that are deleted while entries are written for them refuse those, and nothing else fails", () => Effect.gen(function*() {
    const ada = yield* member("race-projects@example.com")
    for (let round = 0; round < 5; round++) {
      const project_id = yield* ada.project()
      const writes = Array.from({ length: 6 }, () => ada.post("/v1/logs", {
        title: "t", type: "code", start_time: "2026-01-05T09:00:00Z", end_time: "2026-01-05T10:00:00Z", project_id
      }))
      const answers = yield* Effect.all([...writes, ada.remove(`/v1/projects/${project_id}`)], { concurrency: "unbounded" })
      for (const { error, status } of answers) {
        assert.include([201, 204, 400], status)
        if (status === 400) assert.strictEqual(error, `project_id: you have no project ${project_id}`)
      }
    }
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("an archived project", (it) => {
  it.effect("takes no new entries, keeps those it has, and comes back", () => Effect.gen(function*() {
    const ada = yield* member("archive@example.com")
    const project_id = yield* ada.project({ name: "Old one" })
    const path = `/v1/projects/${project_id}`
    const entry = yield* ada.at("2026-01-05T09:00:00Z", 30, { project_id })
    const archived = yield* ada.post(`${path}/archive`)
    assert.strictEqual(archived.status, 200)
    assert.isString(archived.at("archived_at"))
    assert.strictEqual((yield* ada.post(`${path}/archive`)).at("archived_at"), archived.at("archived_at"))
    const body = { title: "t", type: "code", start_time: "2026-01-05T09:00:00Z", end_time: "2026-01-05T10:00:00Z" }
    const refused = yield* ada.post("/v1/logs", { ...body, project_id })
    assert.deepStrictEqual([refused.status, refused.error], [400, "project_id: \"Old one\" is archived and takes no new entries"])
    const read = yield* ada.get(`/v1/logs/${entry}`)
    assert.strictEqual((yield* ada.put(`/v1/logs/${entry}`, read.body)).at("project_id"), project_id)
    assert.strictEqual((yield* ada.post(`${path}/unarchive`)).at("archived_at"), null)
    assert.strictEqual((yield* ada.post("/v1/logs", { ...body, project_id })).status, 201)
  }))

  it.effect("is nobody's default", () => Effect.gen(function*() {
    const ada = yield* member("archived-default@example.com")
    const id = yield* ada.project()
    yield* ada.put(`/v1/projects/${id}/default`)
    assert.strictEqual((yield* ada.post(`/v1/projects/${id}/archive`)).at("is_default"), false)
    const again = yield* ada.put(`/v1/projects/${id}/default`)
    assert.deepStrictEqual([again.status, again.error], [409, "this project is archived; take it out of the archive first"])
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("the default project", (it) => {
  it.effect("is one at most, and takes entries that say nothing of a project", () => Effect.gen(function*() {
    const ada = yield* member("default@example.com")
    const [one, two] = [yield* ada.project(), yield* ada.project()]
    const projectOf = (body: Record<string, unknown>) =>
      Effect.flatMap(ada.at("2026-01-05T09:00:00Z", 30, body), (id) => Effect.map(ada.get(`/v1/logs/${id}`), (answer) => answer.at("project_id")))
    assert.strictEqual(yield* projectOf({}), null)
    assert.strictEqual((yield* ada.put(`/v1/projects/${one}/default`)).at("is_default"), true)
    assert.strictEqual((yield* ada.put(`/v1/projects/${two}/default`)).at("is_default"), true)
    assert.deepStrictEqual(each(yield* ada.get("/v1/projects"), "is_default"), [true, false])
    assert.strictEqual(yield* projectOf({}), two)
    assert.strictEqual(yield* projectOf({ project_id: null }), null)
    assert.strictEqual(yield* projectOf({ project_id: one }), one)
    assert.strictEqual((yield* ada.remove(`/v1/projects/${one}/default`)).status, 204)
    assert.strictEqual(yield* projectOf({}), two)
    assert.strictEqual((yield* ada.remove(`/v1/projects/${two}/default`)).status, 204)
    assert.strictEqual(yield* projectOf({}), null)
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("the figures of a project", (it) => {
  it.effect("are sums by type, value, impact and local week, over the change to summer time", () => Effect.gen(function*() {
    const ada = yield* member("stats@example.com", { timezone: "America/New_York" })
    const project_id = yield* ada.project()
    const path = `/v1/projects/${project_id}/stats`
    // Monday 2 March; Sunday 8 March, which has 23 hours, until its last minute; Monday 9 March.
    yield* ada.at("2026-03-02T05:00:00Z", 60, { project_id, type: "code", value_rating: "high", impact_level: "team" })
    yield* ada.at("2026-03-09T03:59:00Z", 40, { project_id, type: "meeting" })
    yield* ada.at("2026-03-09T04:00:00Z", 5, { project_id, type: "meeting" })
    yield* ada.at("2026-03-09T15:00:00Z", 600)
    const all = yield* ada.get(path)
    assert.deepStrictEqual(all.body, {
      project_id,
      entries: 3,
      minutes: 105,
      hours: 1.75,
      contributors: 1,
      first_entry_at: "2026-03-02T05:00:00.000Z",
      last_entry_at: "2026-03-09T04:00:00.000Z",
      by_type: [{ type: "code", entries: 1, minutes: 60, hours: 1 }, { type: "meeting", entries: 2, minutes: 45, hours: 0.75 }],
      by_value: [{ value_rating: "high", entries: 1, minutes: 60, hours: 1 }, { value_rating: "medium", entries: 2, minutes: 45, hours: 0.75 }],
      by_impact: [{ impact_level: "team", entries: 1, minutes: 60, hours: 1 }, { impact_level: "personal", entries: 2, minutes: 45, hours: 0.75 }],
      by_week: [{ week: "2026-03-02", entries: 2, minutes: 100, hours: 1.67 }, { week: "2026-03-09", entries: 1, minutes: 5, hours: 0.08 }]
    })
    assert.strictEqual((yield* ada.get(`${path}?start_date=2026-03-08&end_date=2026-03-08`)).at("minutes"), 40)
    assert.strictEqual((yield* ada.get(`${path}?start_date=2026-03-09`)).at("minutes"), 5)
    assert.deepInclude((yield* ada.get(`${path}?end_date=2020-01-01`)).body, { entries: 0, hours: 0, contributors: 0, first_entry_at: null, by_week: [] })
    assert.strictEqual((yield* ada.get(`${path}?start_date=2026-03-09&end_date=2026-03-08`)).error, "end_date: must not be before start_date")
  }))

  it.effect("of a project without entries are nothing", () => Effect.gen(function*() {
    const ada = yield* member("no-stats@example.com")
    assert.deepInclude((yield* ada.get(`/v1/projects/${yield* ada.project()}/stats`)).body, { entries: 0, minutes: 0, by_type: [] })
  }))

  it.effect("add up, however long the entries are", () => Effect.gen(function*() {
    const ada = yield* member("long-stats@example.com")
    const project_id = yield* ada.project()
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      INSERT INTO log_entries (id, user_id, project_id, title, type, start_time, end_time)
      SELECT gen_random_uuid(), ${ada.id}::uuid, ${project_id}::uuid, 't', 'ops', '2026-01-05T00:00:00Z', '2027-01-05T00:00:00Z'
      FROM generate_series(1, 5000)`
    const goal = yield* ada.made("/v1/goals", { title: "g", measure: "hours", target: 1, start_date: "2026-01-05", end_date: "2026-01-05" })
    assert.strictEqual((yield* ada.get(`/v1/projects/${project_id}/stats`)).at("minutes"), 5_000 * 525_600)
    assert.strictEqual((yield* ada.get(`/v1/goals/${goal}`)).at("progress", "value"), 5_000 * 8_760)
  }))

  it.effect("count what members share, each in their own week, and nothing that they do not", () => Effect.gen(function*() {
    const [ada, bob, cyd] = [
      yield* member("stats-ada@example.com"), yield* member("stats-bob@example.com", { timezone: "Pacific/Auckland" }), yield* member("stats-cyd@example.com")
    ]
    const team = yield* ada.team()
    yield* joins(bob, ada, team)
    yield* joins(cyd, ada, team)
    const project_id = yield* ada.project({ team_id: team })
    // Sunday in Berlin and London, Monday in Auckland.
    yield* ada.at("2026-01-04T12:00:00Z", 10, { project_id })
    yield* bob.at("2026-01-04T12:00:00Z", 20, { project_id })
    yield* cyd.at("2026-01-04T12:00:00Z", 40, { project_id })
    assert.strictEqual((yield* ada.get(`/v1/projects/${project_id}/stats`)).at("minutes"), 10)
    yield* bob.put(`/v1/projects/${project_id}/sharing`, { level: "figures", since: null })
    const stats = yield* ada.get(`/v1/projects/${project_id}/stats`)
    assert.deepInclude(stats.body, { minutes: 30, contributors: 2 })
    assert.deepStrictEqual(stats.at("by_week"), [
      { week: "2025-12-29", entries: 1, minutes: 10, hours: 0.17 }, { week: "2026-01-05", entries: 1, minutes: 20, hours: 0.33 }
    ])
    assert.strictEqual((yield* ada.get(`/v1/projects/${project_id}/stats?end_date=2026-01-04`)).at("minutes"), 10)
    assert.strictEqual((yield* cyd.get(`/v1/projects/${project_id}/stats`)).at("minutes"), 60)
  }))
})
