import { assert, layer } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { GoalProgress } from "../../src/goals/GoalProgress.ts"
import { TestApi } from "../http/TestApi.ts"
import { each, type Member, member } from "../support/Members.ts"

const goal = { title: "Learn", measure: "hours", target: 10, start_date: "2026-03-02", end_date: "2026-03-15" }
const set = (who: Member, more: Record<string, unknown> = {}) => who.made("/v1/goals", { ...goal, ...more })
const valueOf = (who: Member, id: string) => Effect.map(who.get(`/v1/goals/${id}`), (answer) => answer.at("progress", "value"))
const day = (days: number) => DateTime.formatIsoDateUtc(DateTime.add(DateTime.nowUnsafe(), { days }))

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("goals", (it) => {
  it.effect("are set, read, replaced and deleted; their words are encrypted", () => Effect.gen(function*() {
    const ada = yield* member("goals@example.com")
    const project_id = yield* ada.project()
    const created = yield* ada.post("/v1/goals", { ...goal, description: "Why", activity_types: ["learning", "docs"], tags: ["Rust", "security"], project_ids: [project_id] })
    assert.strictEqual(created.status, 201)
    assert.deepInclude(created.body, { ...goal, description: "Why", activity_types: ["learning", "docs"], tags: ["rust", "security"], project_ids: [project_id] })
    assert.deepInclude(created.at("progress"), { value: 0, remaining: 10, percent: 0 })
    const path = created.headers["location"] ?? ""
    assert.deepStrictEqual((yield* ada.get(path)).body, created.body)
    const again = yield* ada.put(path, created.body)
    assert.deepStrictEqual({ ...Object(again.body), updated_at: null, etag: null }, { ...Object(created.body), updated_at: null, etag: null })
    const stored = yield* SqlClient.SqlClient.use((sql) => sql`SELECT title, description FROM goals`)
    assert.match(String(stored[0]?.["title"]), /^v2:/)
    assert.match(String(stored[0]?.["description"]), /^v2:/)
    const replaced = yield* ada.put(path, { ...goal, title: "Other", measure: "entries", target: 3 })
    assert.deepInclude(replaced.body, { title: "Other", measure: "entries", target: 3, description: null, activity_types: null, tags: null, project_ids: null })
    assert.strictEqual((yield* ada.remove(path)).status, 204)
    assert.strictEqual((yield* ada.get(path)).status, 404)
    assert.strictEqual((yield* ada.remove(path)).status, 404)
  }))

  it.effect("refuse what cannot be a goal", () => Effect.gen(function*() {
    const ada = yield* member("wrong-goals@example.com")
    const error = (more: Record<string, unknown>) => Effect.map(ada.post("/v1/goals", { ...goal, ...more }), (answer) => `${answer.status} ${answer.error}`)
    for (const target of [0, -1, 0.001, 100_001]) assert.strictEqual(yield* error({ target }), "400 target: must be from 0.01 to 100000, with two decimals at most")
    assert.strictEqual(yield* error({ end_date: "2026-03-01" }), "400 end_date: must not be before start_date")
    assert.strictEqual(yield* error({ end_date: "2040-03-01" }), "400 end_date: must be at most 1827 days after start_date")
    assert.strictEqual(yield* error({ tags: [] }), "400 tags: must name at least one, or be left out")
    assert.strictEqual(yield* error({ activity_types: ["code", "code"] }), "400 activity_types: must not name one twice")
    const nobodys = randomUUID()
    assert.strictEqual(yield* error({ project_ids: [nobodys] }), `400 project_ids[0]: you have no project ${nobodys}`)
    const eve = yield* member("wrong-goals-eve@example.com")
    const hers = yield* eve.project()
    assert.strictEqual(yield* error({ project_ids: [hers] }), `400 project_ids[0]: you have no project ${hers}`)
  }))

  it.effect("of others do not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("goals-ada@example.com"), yield* member("goals-eve@example.com")]
    const path = `/v1/goals/${yield* set(ada)}`
    const answers = [yield* eve.get(path), yield* eve.put(path, goal), yield* eve.remove(path), yield* eve.get(`${path}/history`)]
    assert.deepStrictEqual(answers.map(({ status }) => status), [404, 404, 404, 404])
    assert.deepStrictEqual(each(yield* eve.get("/v1/goals"), "id"), [])
    assert.strictEqual((yield* ada.get(path)).status, 200)
  }))

  it.effect("count one's own entries that fit all of types, tags and projects", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("count-goals@example.com"), yield* member("count-goals-eve@example.com")]
    const project = yield* ada.project()
    const at = (more: Record<string, unknown>) => ada.at("2026-03-03T09:00:00Z", 60, more)
    yield* at({ type: "learning", tags: ["rust", "go"], project_id: project })
    yield* at({ type: "learning", tags: ["go"] })
    yield* at({ type: "code", tags: ["rust"], project_id: project })
    yield* eve.at("2026-03-03T09:00:00Z", 60, { type: "learning", tags: ["rust"] })
    const counted = (more: Record<string, unknown>) => Effect.flatMap(set(ada, { measure: "entries", ...more }), (id) => valueOf(ada, id))
    assert.strictEqual(yield* counted({}), 3)
    assert.strictEqual(yield* counted({ measure: "hours" }), 3)
    assert.strictEqual(yield* counted({ activity_types: ["learning"] }), 2)
    assert.strictEqual(yield* counted({ tags: ["rust"] }), 2)
    assert.strictEqual(yield* counted({ tags: ["rust", "go"] }), 3)
    assert.strictEqual(yield* counted({ project_ids: [project] }), 2)
    assert.strictEqual(yield* counted({ activity_types: ["learning"], tags: ["rust"], project_ids: [project] }), 1)
    assert.strictEqual(yield* counted({ tags: ["new"] }), 0)
    assert.strictEqual(yield* counted({ start_date: "2026-03-04" }), 0)
  }))

  it.effect("count nothing, rather than everything, once what they are linked to is gone", () => Effect.gen(function*() {
    const ada = yield* member("gone-goals@example.com")
    const project = yield* ada.project()
    yield* ada.at("2026-03-03T09:00:00Z", 60, { tags: ["rust"], project_id: project })
    const [byTag, byProject] = [yield* set(ada, { tags: ["rust"] }), yield* set(ada, { project_ids: [project] })]
    assert.deepStrictEqual([yield* valueOf(ada, byTag), yield* valueOf(ada, byProject)], [1, 1])
    const tags = yield* ada.get("/v1/tags?predefined=false")
    yield* ada.put(`/v1/tags/${String(tags.at("items", 0, "id"))}`, { name: "ferris" })
    assert.deepInclude((yield* ada.get(`/v1/goals/${byTag}`)).body, { tags: ["ferris"] })
    yield* ada.remove(`/v1/tags/${String(tags.at("items", 0, "id"))}`)
    yield* ada.remove(`/v1/projects/${project}`)
    assert.deepInclude((yield* ada.get(`/v1/goals/${byTag}`)).body, { tags: [] })
    assert.deepInclude((yield* ada.get(`/v1/goals/${byProject}`)).body, { project_ids: [] })
    assert.deepStrictEqual([yield* valueOf(ada, byTag), yield* valueOf(ada, byProject)], [0, 0])
  }))

  it.effect("follow a tag that is merged", () => Effect.gen(function*() {
    const ada = yield* member("merged-goals@example.com")
    yield* ada.at("2026-03-03T09:00:00Z", 60, { tags: ["rs"] })
    const id = yield* set(ada, { tags: ["rs"] })
    const rust = yield* ada.made("/v1/tags", { name: "rust" })
    const tags = yield* ada.get("/v1/tags?predefined=false")
    yield* ada.post(`/v1/tags/${String(tags.at("items", each(tags, "name").indexOf("rs"), "id"))}/merge`, { into: rust })
    assert.deepInclude((yield* ada.get(`/v1/goals/${id}`)).body, { tags: ["rust"] })
    assert.strictEqual(yield* valueOf(ada, id), 1)
  }))

  it.effect("have days and weeks of their user's zone, over the change to summer time", () => Effect.gen(function*() {
    const ada = yield* member("zone-goals@example.com", { timezone: "America/New_York" })
    yield* ada.at("2026-03-02T04:59:00Z", 600)
    yield* ada.at("2026-03-02T05:00:00Z", 60)
    yield* ada.at("2026-03-09T03:59:00Z", 90)
    yield* ada.at("2026-03-09T04:00:00Z", 120)
    yield* ada.at("2026-03-16T03:59:00Z", 45)
    yield* ada.at("2026-03-16T04:00:00Z", 600)
    const id = yield* set(ada, { start_date: "2026-03-02", end_date: "2026-03-15", target: 5 })
    const read = yield* ada.get(`/v1/goals/${id}`)
    assert.deepStrictEqual(read.at("progress"), { value: 5.25, remaining: 0, percent: 105, expected: 5, on_track: true, status: "achieved" })
    const history = yield* ada.get(`/v1/goals/${id}/history`)
    assert.deepStrictEqual(history.body, {
      goal_id: id,
      weeks: [
        { start_date: "2026-03-02", end_date: "2026-03-08", value: 2.5, cumulative: 2.5, percent: 50 },
        { start_date: "2026-03-09", end_date: "2026-03-15", value: 2.75, cumulative: 5.25, percent: 105 }
      ]
    })
    const short = yield* set(ada, { start_date: "2026-03-04", end_date: "2026-03-10" })
    assert.deepStrictEqual(
      (yield* ada.get(`/v1/goals/${short}/history`)).at("weeks"),
      [
        { start_date: "2026-03-04", end_date: "2026-03-08", value: 1.5, cumulative: 1.5, percent: 15 },
        { start_date: "2026-03-09", end_date: "2026-03-10", value: 2, cumulative: 3.5, percent: 35 }
      ]
    )
  }))

  it.effect("say where they stand: upcoming, active, achieved or missed, and on track or not", () => Effect.gen(function*() {
    const ada = yield* member("status-goals@example.com")
    const status = (from: number, to: number) =>
      Effect.flatMap(set(ada, { start_date: day(from), end_date: day(to) }), (id) =>
        Effect.map(ada.get(`/v1/goals/${id}`), (answer) => [answer.at("progress", "status"), answer.at("progress", "on_track"), answer.at("progress", "expected")]))
    assert.deepStrictEqual(yield* status(2, 12), ["upcoming", true, 0])
    assert.deepStrictEqual(yield* status(-4, 5), ["active", false, 5])
    assert.deepStrictEqual(yield* status(-14, -2), ["missed", false, 10])
    const coming = yield* set(ada, { start_date: day(2), end_date: day(12) })
    assert.deepStrictEqual((yield* ada.get(`/v1/goals/${coming}/history`)).at("weeks"), [])
  }))

  it.effect("come page by page, newest first, and by day or project", () => Effect.gen(function*() {
    const ada = yield* member("page-goals@example.com")
    const project = yield* ada.project()
    const [one, two, three] = [
      yield* set(ada), yield* set(ada, { project_ids: [project] }), yield* set(ada, { start_date: "2026-03-20", end_date: "2026-03-20" })
    ]
    const first = yield* ada.get("/v1/goals?limit=2")
    assert.deepStrictEqual(each(first, "id"), [three, two])
    const second = yield* ada.get(`/v1/goals?limit=2&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual([each(second, "id"), second.at("next_cursor")], [[one], null])
    assert.deepStrictEqual(each(yield* ada.get("/v1/goals?active_on=2026-03-15"), "id"), [two, one])
    assert.deepStrictEqual(each(yield* ada.get("/v1/goals?active_on=2026-03-20"), "id"), [three])
    assert.deepStrictEqual(each(yield* ada.get(`/v1/goals?project_id=${project}`), "id"), [two])
  }))

  it.effect("tell other code which entries count for them by the end of a period", () => Effect.gen(function*() {
    const progress = yield* GoalProgress
    const ada = yield* member("period-goals@example.com")
    const [first, second] = [yield* ada.at("2026-03-03T09:00:00Z", 60), yield* ada.at("2026-03-10T09:00:00Z", 120)]
    yield* ada.at("2026-03-20T09:00:00Z", 120)
    yield* set(ada)
    yield* set(ada, { start_date: "2026-04-01", end_date: "2026-04-02" })
    const told = yield* progress.inPeriod({ id: ada.id, timezone: "UTC" }, { first: "2026-03-09", last: "2026-03-15" })
    assert.deepStrictEqual(told.map(({ entry_ids, goal }) => ({ title: goal.title, entries: entry_ids.map(String) })), [{ title: "Learn", entries: [first, second] }])
  }))
})
