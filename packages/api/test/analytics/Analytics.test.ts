import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { entry, register, TestApi } from "../http/TestApi.ts"

/** Somebody with entries; `zone` is theirs. */
const personWith = Effect.fnUntraced(function*(email: string, timezone: string, entries: ReadonlyArray<Record<string, unknown>>) {
  const { ask } = yield* TestApi
  const person = yield* register(email, { timezone })
  for (const one of entries) {
    const answer = yield* ask("POST", "/v1/logs", { token: person.token, body: { ...entry, ...one } })
    assert.strictEqual(answer.status, 201, answer.text)
  }
  return { ...person, get: (path: string) => ask("GET", `/v1/analytics/${path}`, { token: person.token }) }
})

const between = (start_time: string, end_time: string, more: Record<string, unknown> = {}) => ({ start_time, end_time, ...more })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("analytics", (it) => {
  it.effect("tell a period at a glance, beside the one before", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* personWith("glance@example.com", "UTC", [])
    const project = yield* ask("POST", "/v1/projects", { token: ada.token, body: { name: "Billing" } })
    for (const one of [
      between("2026-01-04T09:00:00Z", "2026-01-04T10:00:00Z", { type: "admin" }),
      between("2026-01-05T09:00:00Z", "2026-01-05T10:30:00Z", { value_rating: "high", impact_level: "company", project_id: project.at("id") }),
      between("2026-01-06T14:00:00Z", "2026-01-06T14:30:00Z", { type: "meeting", value_rating: "low" })
    ]) yield* ask("POST", "/v1/logs", { token: ada.token, body: { ...entry, ...one } })
    const answer = yield* ada.get("dashboard?start_date=2026-01-05&end_date=2026-01-06")
    assert.deepStrictEqual(answer.body, {
      period: { start_date: "2026-01-05", end_date: "2026-01-06", timezone: "UTC" },
      total: { minutes: 120, entries: 2, days: 2 },
      previous: { minutes: 60, entries: 1, change: 100 },
      metrics: {
        average_daily_hours: 1, peak_productivity_hour: 9, most_productive_day: "Monday", activity_efficiency_score: 75, focus_time_percentage: 75,
        collaboration_ratio: 25, high_value_percentage: 75, company_impact_ratio: 75, value_impact_score: (12 + 1) / 24 * 100
      },
      outside_working_hours: null,
      by_day: [{ date: "2026-01-05", minutes: 90, entries: 1 }, { date: "2026-01-06", minutes: 30, entries: 1 }],
      by_type: [{ type: "code", minutes: 90, entries: 1, share: 75 }, { type: "meeting", minutes: 30, entries: 1, share: 25 }],
      top_projects: [
        { project_id: project.at("id"), project_name: "Billing", minutes: 90, entries: 1, share: 75 },
        { project_id: null, project_name: null, minutes: 30, entries: 1, share: 25 }
      ]
    })
  }))

  it.effect("say where the time went, by everything an entry says", () => Effect.gen(function*() {
    const ada = yield* personWith("where@example.com", "UTC", [
      between("2026-01-05T09:00:00Z", "2026-01-05T10:30:00Z", { tags: ["backend", "api-design"] }),
      between("2026-01-10T23:30:00Z", "2026-01-11T00:00:00Z", { type: "docs", tags: ["backend"], value_rating: "high" })
    ])
    const answer = yield* ada.get("time-distribution?start_date=2026-01-01&end_date=2026-01-31")
    assert.deepStrictEqual(answer.at("by_tag"), [
      { tag: "backend", minutes: 120, entries: 2, share: 100 },
      { tag: "api-design", minutes: 90, entries: 1, share: 75 }
    ])
    assert.deepStrictEqual(answer.at("by_value_rating"), [
      { value_rating: "medium", minutes: 90, entries: 1, share: 75 },
      { value_rating: "high", minutes: 30, entries: 1, share: 25 }
    ])
    assert.deepStrictEqual(answer.at("by_hour", 9), { hour: 9, minutes: 90, entries: 1, share: 75 })
    assert.deepStrictEqual(answer.at("by_hour", 23), { hour: 23, minutes: 30, entries: 1, share: 25 })
    assert.deepStrictEqual(answer.at("by_weekday", 5), { weekday: 6, minutes: 30, entries: 1, share: 25 })
  }))

  it.effect("put an entry into the local day and hour in which it starts, on the night the clocks change, too", () => Effect.gen(function*() {
    // In Lisbon 2026-03-29 begins at midnight UTC, and loses the hour from 01:00 to 02:00.
    const ada = yield* personWith("dst@example.com", "Europe/Lisbon", [
      between("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
      between("2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"),
      between("2026-03-29T23:15:00Z", "2026-03-29T23:45:00Z")
    ])
    const day = yield* ada.get("time-distribution?start_date=2026-03-29&end_date=2026-03-29")
    assert.deepStrictEqual(day.at("total"), { minutes: 90, entries: 2 })
    assert.deepInclude(day.at("by_hour", 0), { minutes: 60 })
    assert.deepInclude(day.at("by_hour", 2), { minutes: 30 })
    assert.deepStrictEqual((yield* ada.get("dashboard?start_date=2026-03-30&end_date=2026-03-30")).at("total"), { minutes: 30, entries: 1, days: 1 })
  }))

  it.effect("follow completed weeks", () => Effect.gen(function*() {
    const ada = yield* personWith("weeks@example.com", "UTC", [])
    const answer = yield* ada.get("productivity-trends?weeks=3")
    assert.strictEqual(answer.status, 200, answer.text)
    const weeks = answer.at("weeks")
    assert.lengthOf(Array.isArray(weeks) ? weeks : [], 3)
    const last = Date.parse(`${String(answer.at("weeks", 2, "end_date"))}T24:00:00Z`)
    assert.isTrue(last <= Date.now() && last > Date.now() - 8 * 86_400_000)
    assert.deepInclude(answer.at("weeks", 0), { minutes: 0, metrics: null })
  }))

  it.effect("look at the last thirty days where none are named, and at thirty from or up to the one that is", () => Effect.gen(function*() {
    const ada = yield* personWith("days@example.com", "UTC", [])
    const days = (answer: { readonly at: (...path: ReadonlyArray<string | number>) => unknown }) => {
      const list = answer.at("by_day")
      return Array.isArray(list) ? list.length : 0
    }
    const recent = yield* ada.get("dashboard")
    assert.strictEqual(days(recent), 30)
    assert.strictEqual(recent.at("period", "end_date"), new Date().toISOString().slice(0, 10))
    assert.deepStrictEqual(recent.at("total"), { minutes: 0, entries: 0, days: 0 })
    assert.deepStrictEqual(recent.at("previous"), { minutes: 0, entries: 0, change: null })
    assert.deepInclude((yield* ada.get("dashboard?start_date=2026-01-01")).at("period"), { start_date: "2026-01-01", end_date: "2026-01-30" })
    assert.deepInclude((yield* ada.get("dashboard?end_date=2026-01-30")).at("period"), { start_date: "2026-01-01", end_date: "2026-01-30" })
  }))

  it.effect("refuse what is no period, each with its reason", () => Effect.gen(function*() {
    const ada = yield* personWith("refused@example.com", "UTC", [])
    const refused: ReadonlyArray<readonly [string, string]> = [
      ["dashboard?start_date=2026-02-01&end_date=2026-01-01", "end_date: must not be before start_date"],
      ["dashboard?start_date=2026-02-30", "start_date: must be a day that exists, as YYYY-MM-DD"],
      ["time-distribution?start_date=2000-01-01&end_date=2026-01-01", "end_date: a period has at most 3660 days"],
      ["productivity-trends?weeks=0", "weeks: must be a whole number from 1 to 104"],
      ["productivity-trends?weeks=105", "weeks: must be a whole number from 1 to 104"]
    ]
    for (const [path, error] of refused) {
      const answer = yield* ada.get(path)
      assert.deepStrictEqual([answer.status, answer.error], [400, error])
    }
  }))

  it.effect("are of one's own entries alone", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    yield* personWith("own-ada@example.com", "UTC", [between("2026-01-05T09:00:00Z", "2026-01-05T10:30:00Z")])
    const eve = yield* personWith("own-eve@example.com", "UTC", [])
    assert.deepStrictEqual((yield* eve.get("time-distribution?start_date=2026-01-01&end_date=2026-01-31")).at("total"), { minutes: 0, entries: 0 })
    assert.strictEqual((yield* ask("GET", "/v1/analytics/dashboard")).status, 401)
  }))
})
