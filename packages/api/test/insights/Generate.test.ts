import { assert, layer } from "@effect/vitest"
import { localDayOf } from "@englog/domain/users/LocalDays"
import { DateTime, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { TestApi } from "../http/TestApi.ts"
import { type Author, author, generated, week } from "../support/Narration.ts"
import { wholeApi } from "../support/WholeApi.ts"

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("an insight over a period", (it) => {
  it.effect("is asked for as seed 004 prints it, and stored with what it is about", () => Effect.gen(function*() {
    const ada = yield* author()
    const project = String((yield* ada.post("/v1/projects", { name: "Auth" })).at("id"))
    const inProject = { title: "Rotate tokens", type: "code", project_id: project, start_time: "2026-01-06T09:00:00Z", end_time: "2026-01-06T10:00:00Z" }
    assert.strictEqual((yield* ada.post("/v1/logs", inProject)).status, 201)
    const { asked, data, insight } = yield* generated(ada, {
      report_type: "weekly",
      period_start: "2026-01-05T00:00:00Z",
      period_end: "2026-01-12T00:00:00Z",
      include_projects: [project],
      focus_areas: ["impact_assessment", "time_allocation"]
    })
    assert.deepInclude(asked, { start_date: "2026-01-05", end_date: "2026-01-11", report_type: "weekly", project_ids: [project], focus_areas: ["time_allocation", "impact_assessment"] })
    assert.deepInclude(data, { insight_type: "weekly", entry_count: 1, focus_areas: ["time_allocation", "impact_assessment"] })
    assert.deepInclude(insight.body, { period_start: "2026-01-05", period_end: "2026-01-11", content: "You recorded 1 h.", project_ids: [project] })
  }))

  it.effect("is about the last complete period of its type in the user's zone, and about all areas, where it names none", () => Effect.gen(function*() {
    const timezone = "Pacific/Kiritimati"
    const ada = yield* author({ timezone })
    const today = localDayOf(yield* DateTime.now, timezone)
    const daily = yield* generated(ada, { report_type: "daily" }, "Nothing.")
    assert.deepInclude(daily.asked, { start_date: today, end_date: today })
    assert.strictEqual(Object(daily.asked).focus_areas.length, 7)
    const annual = yield* generated(ada, { report_type: "annual", focus_areas: [], include_projects: [] }, "Nothing.")
    const year = Number(today.slice(0, 4)) - 1
    assert.deepInclude(annual.asked, { start_date: `${year}-01-01`, end_date: `${year}-12-31` })
    assert.strictEqual(annual.insight.at("project_ids"), null)
  }))

  it.effect("is answered by the stored one as long as nothing that it rests on changes", () => Effect.gen(function*() {
    const ada = yield* author()
    const first = yield* generated(ada, week)
    const ask = (request: Record<string, unknown> = week) => ada.post("/v1/insights/generate", request)
    const again = yield* ask({ ...week, focus_areas: ["impact_assessment", ...["time_allocation", "productivity_patterns", "skill_development", "collaboration_impact"], "goal_progress", "value_distribution"] })
    assert.strictEqual(again.status, 200)
    assert.deepInclude(again.body, { cached: true, insight_id: first.insight.at("id"), task_id: first.task_id })
    const other = yield* ask({ ...week, context: "for the review" })
    assert.deepStrictEqual([other.status, other.at("cached"), other.at("insight_id")], [202, false, null])
    assert.strictEqual((yield* ask({ ...week, focus_areas: ["goal_progress"] })).status, 202)
    assert.strictEqual((yield* ask({ ...week, refresh: true })).status, 202)
    assert.strictEqual((yield* ask()).status, 200)
    const entry = (yield* ada.get(`/v1/logs/${ada.fix}`)).body
    const { ask: send } = yield* TestApi
    const put = (fields: Record<string, unknown>) => send("PUT", `/v1/logs/${ada.fix}`, { token: ada.token, body: { ...Object(entry), ...fields } })
    assert.strictEqual((yield* put({ title: "Fix the login race for good" })).status, 200)
    assert.strictEqual((yield* ask()).status, 202)
    assert.strictEqual((yield* put({})).status, 200)
    assert.strictEqual((yield* ask()).status, 200, "an entry that is as it was again asks the same")
  }))

  it.effect("is one task while it is open, however many ask the same at once", () => Effect.gen(function*() {
    const ada = yield* author()
    const ask = (request: Record<string, unknown> = week) => ada.post("/v1/insights/generate", request)
    const answers = yield* Effect.all(Array.from({ length: 12 }, () => ask()), { concurrency: "unbounded" })
    assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [202])
    assert.lengthOf([...new Set(answers.map((answer) => answer.at("task_id")))], 1)
    assert.lengthOf([...new Set(answers.map((answer) => answer.at("message")))], 2, "only one of them was told that it started it")
    const task = String(answers[0]?.at("task_id"))
    assert.strictEqual((yield* ask({ ...week, refresh: true })).at("task_id"), task)
    assert.notStrictEqual((yield* ask({ ...week, context: "for the review" })).at("task_id"), task)
    const { ask: send } = yield* TestApi
    yield* send("POST", `/v1/tasks/${task}/cancel`, { token: ada.token })
    const again = yield* Effect.all([ask(), ask()], { concurrency: "unbounded" })
    assert.lengthOf([...new Set([task, ...again.map((answer) => answer.at("task_id"))])], 2, "one that was cancelled is asked anew, and once")
  }))

  it.effect("is asked anew after a goal or the time zone changed, and for everybody by themselves", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    yield* generated(ada, week)
    const status = (by: Author) => Effect.map(by.post("/v1/insights/generate", week), (answer) => answer.status)
    assert.deepStrictEqual([yield* status(ada), yield* status(eve)], [200, 202])
    const goal = { title: "Code", measure: "hours", target: 10, start_date: "2026-01-01", end_date: "2026-01-31" }
    const { ask } = yield* TestApi
    const id = String((yield* ada.post("/v1/goals", goal)).at("id"))
    assert.strictEqual(yield* status(ada), 202)
    yield* ask("DELETE", `/v1/goals/${id}`, { token: ada.token })
    assert.strictEqual(yield* status(ada), 200)
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE users SET timezone = 'Asia/Tokyo' WHERE id = ${ada.id}::uuid`
    assert.strictEqual(yield* status(ada), 202)
  }))

  it.effect("that was written for want of a model is not what answers the next request", () => Effect.gen(function*() {
    const ada = yield* author()
    yield* generated(ada, week, undefined, { source: "builtin", model: "builtin", fallback_reason: "Ollama is not reachable" })
    assert.strictEqual((yield* ada.post("/v1/insights/generate", week)).status, 202)
  }))

  it.effect("is refused where it does not say what it is about, naming the field", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const theirs = String((yield* eve.post("/v1/projects", { name: "Secret" })).at("id"))
    const unknown = randomUUID()
    const wrong: ReadonlyArray<readonly [Record<string, unknown>, RegExp]> = [
      [{}, /^report_type: /],
      [{ report_type: "hourly" }, /^report_type: /],
      [{ report_type: "weekly", period_start: "2026-01-05" }, /^period_end: must be given/],
      [{ report_type: "weekly", period_end: "2026-01-05" }, /^period_start: must be given/],
      [{ ...week, period_start: "2026-02-30" }, /^period_start: /],
      [{ ...week, period_start: "last week" }, /^period_start: /],
      [{ ...week, period_end: "2026-01-04" }, /^period_end: must not be before period_start/],
      [{ ...week, period_end: "2027-01-10" }, /^period_end: must be at most 366 days/],
      [{ ...week, focus_areas: ["happiness"] }, /^focus_areas\[0\]: /],
      [{ ...week, include_projects: [theirs, unknown] }, new RegExp(`^include_projects\\[0\\]: you have no project ${theirs}; include_projects\\[1\\]: .*${unknown}`)],
      [{ ...week, user_id: eve.id }, /user_id/]
    ]
    const sql = yield* SqlClient.SqlClient
    for (const [request, error] of wrong) {
      const answer = yield* ada.post("/v1/insights/generate", request)
      assert.strictEqual(answer.status, 400, JSON.stringify(request))
      assert.match(answer.error, error)
    }
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE user_id = ${ada.id}::uuid`).length, 0)
  }))

  it.effect("is found by type, period, project, tags and the day it was written, in pages", () => Effect.gen(function*() {
    const ada = yield* author()
    const project = String((yield* ada.post("/v1/projects", { name: "Auth" })).at("id"))
    const whole = yield* generated(ada, week)
    const part = yield* generated(ada, { ...week, include_projects: [project] }, "Nothing.", { tags: ["none"] })
    const ids = (query: string) => Effect.map(ada.get(`/v1/insights${query}`), (list) => {
      assert.strictEqual(list.status, 200, list.text)
      const items = list.at("items")
      return Array.isArray(items) ? items.map((item) => item.id) : []
    })
    const [all, limited] = [String(whole.insight.at("id")), String(part.insight.at("id"))]
    assert.deepStrictEqual(yield* ids(""), [limited, all])
    assert.deepStrictEqual(yield* ids(`?project_id=${project}`), [limited])
    assert.deepStrictEqual(yield* ids("?tags=focus,Deep%20Work"), [all])
    assert.deepStrictEqual(yield* ids("?tags=focus,none"), [])
    assert.deepStrictEqual(yield* ids("?type=weekly&period_start=2026-01-05&period_end=2026-01-11"), [limited, all])
    assert.deepStrictEqual(yield* ids("?type=daily"), [])
    const today = localDayOf(yield* DateTime.now, "UTC")
    assert.deepStrictEqual(yield* ids(`?created_from=${today}&created_to=${today}`), [limited, all])
    assert.deepStrictEqual(yield* ids("?created_to=2026-01-31&created_from=2026-01-01"), [])
    assert.strictEqual((yield* ada.get("/v1/insights?created_from=2026-02-01&created_to=2026-01-01")).status, 400)
    const third = yield* generated(ada, { ...week, report_type: "sprint" })
    const page = yield* ada.get("/v1/insights?tags=focus&limit=1")
    const rest = yield* ada.get(`/v1/insights?tags=focus&limit=1&cursor=${String(page.at("next_cursor"))}`)
    assert.deepStrictEqual([page.at("items", 0, "id"), rest.at("items", 0, "id"), rest.at("next_cursor")], [third.insight.at("id"), all, null])
  }))

  it.effect("shows the facts it was rendered from, and is deleted by its owner alone", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const { insight } = yield* generated(ada, week)
    const path = `/v1/insights/${String(insight.at("id"))}`
    const facts = yield* ada.get(`${path}/facts`)
    assert.strictEqual(facts.status, 200)
    assert.deepStrictEqual(facts.at("facts"), insight.at("facts"))
    assert.deepInclude(facts.text, `"id":"total.time","label":"Time recorded","value":150,"unit":"minutes","text":"2 h 30 min"`)
    const { ask } = yield* TestApi
    for (const [method, at] of [["GET", `${path}/facts`], ["POST", `${path}/verify`], ["DELETE", path]] as const) {
      assert.strictEqual((yield* ask(method, at, { token: eve.token })).status, 404, at)
    }
    assert.strictEqual((yield* ask("DELETE", path, { token: ada.token })).status, 204)
    assert.deepStrictEqual([(yield* ada.get(path)).status, (yield* ask("DELETE", path, { token: ada.token })).status], [404, 404])
    assert.strictEqual((yield* ada.post("/v1/insights/generate", week)).status, 202, "what is deleted answers nothing")
  }))

  it.effect("needs a token", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    assert.strictEqual((yield* ask("POST", "/v1/insights/generate", { body: week })).status, 401)
  }))
})
