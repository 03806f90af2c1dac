/** Roll-ups against what they stand for: whatever was written when, their figures are those of the entries. */
import { assert, layer } from "@effect/vitest"
import { daySumsBetween, rollUp } from "@englog/domain/analytics/DayRollup"
import { dayStatistics } from "@englog/domain/analytics/DayStatistics"
import { OrganizationId, TaskId } from "@englog/domain/Ids"
import { AnalysisInput, DataAnalysis } from "@englog/domain/tasks/DataAnalysis"
import { DateTime, Effect, Latch, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as fc from "fast-check"
import { AnalysisOutcomeLive } from "../../src/analytics/AnalysisOutcome.ts"
import { RollupRepo } from "../../src/analytics/RollupRepo.ts"
import { Rollups } from "../../src/analytics/Rollups.ts"
import { TaskKinds } from "../../src/queue/TaskKinds.ts"
import { TestApi } from "../http/TestApi.ts"
import { joins, type Member, member } from "../support/Members.ts"

const world = AnalysisOutcomeLive.pipe(
  Layer.provide(Rollups.layer),
  Layer.provideMerge(Layer.mergeAll(RollupRepo.layer, TaskKinds.layer)),
  Layer.provideMerge(TestApi.layer)
)

const decodeInput = Schema.decodeEffect(Schema.fromJsonString(AnalysisInput))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(DataAnalysis.result))
const encodeResult = Schema.encodeEffect(Schema.fromJsonString(DataAnalysis.result))

/** What a worker does between data and result; `meanwhile` happens in between. */
const analyse = Effect.fnUntraced(function*(
  { id }: Member,
  payload: typeof DataAnalysis.payload.Type,
  more: { readonly organization?: string; readonly meanwhile?: Effect.Effect<unknown, never, TestApi>; readonly tamper?: (text: string) => string } = {}
) {
  const sql = yield* SqlClient.SqlClient
  const kind = (yield* TaskKinds).find(DataAnalysis.kind)
  if (kind?.data === undefined || kind.onCompleted === undefined) return assert.fail("the kind is not registered")
  const [own] = yield* sql<{ id: string }>`SELECT id FROM organizations WHERE personal_of = ${id}`
  const task = {
    task_id: TaskId.make("data-analysis_of_a_test"), kind: kind.kind, priority: 5, payload: JSON.stringify(payload), private_input: null, attempt: 1,
    deadline: yield* DateTime.now, traceparent: "", organization_id: OrganizationId.make(more.organization ?? own?.id ?? ""), user_id: id
  }
  const input = yield* Effect.flatMap(kind.data(task), decodeInput)
  yield* more.meanwhile ?? Effect.void
  const rollups = input.days.map(({ date, digest, entries }) => ({ digest, rollup: rollUp(date, entries) }))
  const days = daySumsBetween(input.start_date, input.end_date, [...input.known, ...rollups.map(({ rollup }) => rollup)])
  const { end_date, start_date } = input
  const handed = yield* encodeResult({ start_date, end_date, statistics: dayStatistics(days, input.minutes_before), rollups })
  const result = yield* sql.withTransaction(kind.onCompleted(task, more.tamper?.(handed) ?? handed)).pipe(Effect.flatMap(decodeResult))
  return { input, result }
})

const [FIRST, LAST] = ["2026-03-01", "2026-04-09"]
const PERIOD = `start_date=${FIRST}&end_date=${LAST}`
const payload = { start_date: FIRST, end_date: LAST }

/** Once more in the plainest words, with Intl deciding on days. */
const naive = Effect.fnUntraced(function*(who: Member, zone: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ start_time: Date; minutes: number }>`
    SELECT start_time, duration_minutes AS minutes FROM log_entries WHERE user_id = ${who.id} AND end_time IS NOT NULL`
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" })
  const days = new Map<string, { minutes: number; entries: number }>()
  for (const { minutes, start_time } of rows) {
    const day = days.get(format.format(start_time)) ?? { minutes: 0, entries: 0 }
    days.set(format.format(start_time), { minutes: day.minutes + minutes, entries: day.entries + 1 })
  }
  return days
})

/** Both in one zone: a new one is known a moment after it was chosen. */
const both = (who: Member) =>
  Effect.all([who.get(`/v1/analytics/daily?${PERIOD}`), who.get(`/v1/analytics/dashboard?${PERIOD}`)]).pipe(
    Effect.repeat({ until: ([daily, dashboard]) => daily.at("period", "timezone") === dashboard.at("period", "timezone") })
  )

/** Roll-ups, live computation and plainest words say the same. */
const agree = Effect.fnUntraced(function*(who: Member, story: string) {
  const [daily, dashboard] = yield* both(who)
  assert.deepStrictEqual([daily.status, dashboard.status], [200, 200], daily.text)
  assert.deepStrictEqual(daily.at("days"), dashboard.at("by_day"), story)
  assert.deepStrictEqual(daily.at("statistics", "metrics"), dashboard.at("metrics"), story)
  assert.strictEqual(daily.at("statistics", "change"), dashboard.at("previous", "change"), story)
  const words = yield* naive(who, String(daily.at("period", "timezone")))
  const days = daily.at("days")
  for (const { date, ...amount } of Array.isArray(days) ? days : []) {
    assert.deepStrictEqual(amount, words.get(date) ?? { minutes: 0, entries: 0 }, `${date} of ${story}`)
  }
})

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), hour: fc.integer({ min: -30, max: 40 * 24 + 30 }), minutes: fc.integer({ min: 1, max: 600 }), type: fc.constantFrom("code", "meeting", "docs"), project: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("change" as const), which: fc.nat(), minutes: fc.integer({ min: 1, max: 600 }), hour: fc.integer({ min: 0, max: 40 * 24 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("roll up" as const), meanwhile: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move" as const), zone: fc.constantFrom("Europe/Lisbon", "America/Sao_Paulo", "Pacific/Kiritimati", "Asia/Kathmandu") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop project" as const) }) }
)

const instant = (hour: number) => DateTime.formatIso(DateTime.add(DateTime.makeUnsafe(`${FIRST}T00:00:00Z`), { hours: hour }))

let people = 0

layer(world, { excludeTestServices: true, timeout: "120 seconds" })("roll-ups", (it) => {
  it.effect("are what entries come to, whatever was written, moved, removed and rolled up in which order", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    for (const commands of fc.sample(fc.array(command, { minLength: 12, maxLength: 30 }), 12)) {
      const who = yield* member(`rolled-${++people}@example.com`, { timezone: "UTC" })
      const projects: Array<string> = [yield* who.project({ name: "A" }), yield* who.project({ name: "B" })]
      const ids: Array<string> = []
      const add = (hour: number, minutes: number, body: Record<string, unknown>) => Effect.map(who.at(instant(hour), minutes, body), (id) => ids.push(id))
      for (const one of commands) {
        const id = "which" in one && ids.length > 0 ? ids[one.which % ids.length] : undefined
        if (one.do === "add") {
          const project = projects[one.project]
          yield* add(one.hour, one.minutes, { type: one.type, ...project === undefined ? {} : { project_id: project } })
        }
        if (one.do === "change" && id !== undefined) {
          const body = { title: "T", type: "ops", start_time: instant(one.hour), end_time: DateTime.formatIso(DateTime.add(DateTime.makeUnsafe(instant(one.hour)), { minutes: one.minutes })) }
          assert.strictEqual((yield* who.put(`/v1/logs/${id}`, body)).status, 200)
        }
        if (one.do === "remove" && id !== undefined) {
          yield* who.remove(`/v1/logs/${id}`)
          ids.splice(ids.indexOf(id), 1)
        }
        if (one.do === "roll up") {
          const { input, result } = yield* analyse(who, payload, one.meanwhile ? { meanwhile: add(300, 45, {}) } : {})
          if (!one.meanwhile) assert.strictEqual(result.days_stored, input.days.length)
        }
        if (one.do === "move") {
          yield* sql`UPDATE users SET timezone = ${one.zone} WHERE id = ${who.id}`
        }
        if (one.do === "drop project") yield* who.remove(`/v1/projects/${projects.pop() ?? ""}`)
      }
      yield* agree(who, JSON.stringify(commands))
    }
  }), 120_000)

  it.effect("are read where they are right, and only there", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* member("read@example.com", { timezone: "UTC" })
    yield* ada.at("2026-03-02T09:00:00Z", 60)
    const other = yield* ada.at("2026-03-05T09:00:00Z", 30)
    const first = yield* analyse(ada, payload)
    assert.deepInclude(first.result, { days_stored: 40, start_date: FIRST, end_date: LAST })
    assert.deepInclude(first.result.statistics.total, { minutes: 90, entries: 2 })
    // A lie in the table is told: so it is the table that is read.
    yield* sql`UPDATE day_rollups SET projects = '[]' WHERE user_id = ${ada.id} AND day = '2026-03-02'`
    assert.strictEqual((yield* ada.get(`/v1/analytics/daily?${PERIOD}`)).at("statistics", "total", "minutes"), 30)
    assert.strictEqual((yield* ada.get(`/v1/analytics/dashboard?${PERIOD}`)).at("total", "minutes"), 90, "the dashboard is computed from entries")
    yield* ada.at("2026-03-02T12:00:00Z", 15)
    assert.strictEqual((yield* ada.get(`/v1/analytics/daily?${PERIOD}`)).at("statistics", "total", "minutes"), 105)
    const again = yield* analyse(ada, payload)
    assert.deepStrictEqual(again.input.days.map(({ date }) => date), ["2026-03-02"])
    yield* ada.put(`/v1/logs/${other}`, { title: "Another title", type: "code", start_time: "2026-03-05T09:00:00Z", end_time: "2026-03-05T09:30:00Z" })
    assert.deepStrictEqual((yield* analyse(ada, payload)).input.days, [], "a title is no figure")
    assert.deepInclude((yield* analyse(ada, payload)).result, { days_stored: 0 })
  }))

  it.effect("make right what changed long ago, beside the days they are asked for", () => Effect.gen(function*() {
    const ada = yield* member("late@example.com", { timezone: "UTC" })
    yield* analyse(ada, { start_date: "2025-01-01", end_date: "2025-01-10" })
    yield* ada.at("2025-01-03T09:00:00Z", 60)
    const { input, result } = yield* analyse(ada, payload)
    assert.deepStrictEqual([input.days[0]?.date, result.days_stored, result.statistics.total.minutes], ["2025-01-03", 41, 0])
    assert.deepStrictEqual((yield* analyse(ada, { start_date: "2025-01-01", end_date: "2025-01-10" })).input.days, [])
  }))

  it.effect("of something else than the entries come to are refused, whoever made them", () => Effect.gen(function*() {
    const ada = yield* member("lied@example.com", { timezone: "UTC" })
    yield* ada.at("2026-03-02T09:00:00Z", 60)
    const refused = yield* Effect.flip(analyse(ada, payload, { tamper: (text) => text.replace("\"high_value\":0", "\"high_value\":60") }))
    assert.deepInclude(refused, { _tag: "InvalidResult", message: "rollups: that of 2026-03-02 is not what its entries come to" })
    const foreign = yield* Effect.flip(analyse(ada, payload, { tamper: () => "{}" }))
    assert.strictEqual(foreign._tag, "InvalidResult")
  }))

  it.effect("wait for the next time where an entry is being written", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* member("writing@example.com", { timezone: "UTC" })
    yield* ada.at("2026-03-02T09:00:00Z", 60)
    const entered = yield* Latch.make()
    const leave = yield* Latch.make()
    yield* sql.withTransaction(Effect.gen(function*() {
      yield* sql`UPDATE log_entries SET type = 'ops' WHERE user_id = ${ada.id}`
      yield* entered.open
      yield* leave.await
    })).pipe(Effect.forkChild)
    yield* entered.await
    assert.deepInclude((yield* analyse(ada, payload)).result, { days_stored: 0 })
    yield* leave.open
  }))

  it.effect("go with the account whose days they are, together with its entries", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* member("gone@example.com", { timezone: "UTC" })
    yield* ada.at("2026-03-02T09:00:00Z", 60)
    yield* analyse(ada, payload)
    yield* ada.at("2026-03-02T10:30:00Z", 60)
    yield* sql`DELETE FROM users WHERE id = ${ada.id}`
    const left = yield* sql`SELECT user_id FROM day_rollups WHERE user_id = ${ada.id} UNION ALL SELECT user_id FROM entry_marks WHERE user_id = ${ada.id}`
    assert.deepStrictEqual(left, [])
  }))

  it.effect("of a team hold what its members share, from the moment they chose, until they leave", () => Effect.gen(function*() {
    const ada = yield* member("team-ada@example.com", { timezone: "UTC" })
    const bob = yield* member("team-bob@example.com", { timezone: "Pacific/Kiritimati" })
    const team = yield* ada.team()
    yield* joins(bob, ada, team)
    const project = yield* ada.project({ team_id: team })
    yield* ada.at("2026-03-02T09:00:00Z", 60, { project_id: project })
    yield* ada.at("2026-03-02T11:00:00Z", 600)
    yield* bob.at("2026-03-02T09:00:00Z", 30, { project_id: project })
    yield* bob.at("2026-03-02T12:00:00Z", 20, { project_id: project, type: "meeting" })
    const path = `/v1/teams/${team}/analytics?${PERIOD}`
    const total = Effect.map(ada.get(path), (answer) => answer.at("statistics", "total"))
    assert.deepStrictEqual(yield* total, { minutes: 0, entries: 0 })
    yield* ada.put(`/v1/projects/${project}/sharing`, { level: "figures", since: null })
    yield* bob.put(`/v1/projects/${project}/sharing`, { level: "entries", since: "2026-03-02T11:30:00Z" })
    const check = Effect.fnUntraced(function*(minutes: number, entries: number) {
      assert.deepStrictEqual(yield* total, { minutes, entries })
      const live = yield* ada.get(`/v1/teams/${team}/stats?${PERIOD}`)
      assert.deepStrictEqual([live.at("minutes"), live.at("entries")], [minutes, entries], "the team's statistics, from entries")
    })
    yield* check(80, 2)
    yield* analyse(ada, payload)
    yield* analyse(bob, payload)
    yield* check(80, 2)
    // 2026-03-02T12:00Z is the third of March in Kiritimati.
    const answer = yield* ada.get(path)
    assert.deepInclude(answer.at("days", 2), { date: "2026-03-03", minutes: 20 })
    const { result } = yield* analyse(ada, payload, { organization: team })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(result.statistics)), answer.at("statistics"))
    assert.strictEqual(result.days_stored, 0)
    yield* bob.put(`/v1/projects/${project}/sharing`, { level: "figures", since: null })
    yield* check(110, 3)
    yield* bob.remove(`/v1/teams/${team}/members/${bob.id}`)
    yield* check(60, 1)
    assert.strictEqual((yield* bob.get(path)).status, 404)
  }))
})
