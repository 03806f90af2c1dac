import { assert, layer } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { loginLimits } from "../../src/auth/Accounts.ts"
import { type Answer, password, TestApi } from "../http/TestApi.ts"
import { somebody } from "../support/Person.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const another = "a longer horse battery"

/** Callers are remembered for three seconds. */
const untilRefused = <E, R>(ask: Effect.Effect<Answer, E, R>) =>
  Effect.repeat(ask, { while: ({ status }) => status === 200, schedule: Schedule.spaced("100 millis"), times: 60 })

const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("an account's owner", (it) => {
  it.effect("reads the profile, changes it, and writes back what was read", () => Effect.gen(function*() {
    const ada = yield* somebody({ timezone: "Europe/Berlin" })
    const profile = yield* ada.get("/v1/users/profile")
    assert.strictEqual(profile.status, 200)
    assert.deepInclude(profile.body, {
      id: ada.id, email: ada.email, first_name: "Ada", timezone: "Europe/Berlin", is_admin: false, preferences: { locale: "en", week_start: "monday", email_report_ready: false, weekly_report: true, team_notifications: true, email_team_notifications: true, working_hours: null }
    })
    const changed = yield* ada.put("/v1/users/profile", { first_name: " Augusta ", last_name: "King", preferences: { locale: "pt-BR", week_start: "sunday" } })
    assert.deepInclude(changed.body, { first_name: "Augusta", last_name: "King", timezone: "Europe/Berlin", preferences: { locale: "pt-BR", week_start: "sunday", email_report_ready: false, weekly_report: true, team_notifications: true, email_team_notifications: true, working_hours: null } })
    const again = yield* ada.put("/v1/users/profile", changed.body)
    assert.strictEqual(again.status, 200)
    assert.deepInclude(again.body, { first_name: "Augusta", email: ada.email, preferences: { locale: "pt-BR", week_start: "sunday", email_report_ready: false, weekly_report: true, team_notifications: true, email_team_notifications: true, working_hours: null } })
    const climbed = yield* ada.put("/v1/users/profile", { first_name: "A", last_name: "B", is_admin: true, email: "other@example.com" })
    assert.deepInclude(climbed.body, { is_admin: false, email: ada.email })
    const sql = yield* SqlClient.SqlClient
    assert.deepStrictEqual(yield* sql`SELECT name FROM organizations WHERE personal_of = ${ada.id}`, [{ name: "A B" }])
  }))

  it.effect("sets zone, language and first day of the week, and is told what is none of these", () => Effect.gen(function*() {
    const ada = yield* somebody()
    assert.deepInclude((yield* ada.get("/v1/users/preferences")).body, { timezone: "UTC", locale: "en", week_start: "monday", email_report_ready: false, weekly_report: true, team_notifications: true, email_team_notifications: true, working_hours: null })
    const wanted = { timezone: "America/Sao_Paulo", locale: "de-DE", week_start: "saturday", email_report_ready: true, weekly_report: false, team_notifications: true, email_team_notifications: true, working_hours: null }
    assert.deepInclude((yield* ada.put("/v1/users/preferences", wanted)).body, wanted)
    assert.deepInclude((yield* ada.get("/v1/users/preferences")).body, wanted)
    assert.strictEqual((yield* ada.get("/v1/users/profile")).at("timezone"), "America/Sao_Paulo")
    const wrong = yield* ada.put("/v1/users/preferences", { timezone: "Mars/Base", locale: "no locale", week_start: "someday", theme: "dark" })
    assert.strictEqual(wrong.status, 400)
    for (const field of ["timezone: must be an IANA time zone", "locale: must be a BCP 47 language tag", "week_start: ", "unknown field \"theme\""]) {
      assert.include(wrong.error, field)
    }
  }))

  it.effect("says when they work, weekday by weekday, and is told where that cannot be", () => Effect.gen(function*() {
    const ada = yield* somebody({ timezone: "Europe/Berlin" })
    const day = [{ start: "09:00", end: "12:30" }, { start: "13:00", end: "24:00" }]
    const free = { monday: [], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
    const set = yield* ada.put("/v1/users/preferences", { timezone: "Europe/Berlin", working_hours: { monday: day } })
    assert.deepStrictEqual(set.at("working_hours"), { ...free, monday: day })
    assert.strictEqual((yield* ada.put("/v1/users/preferences", set.body)).status, 200)
    assert.deepStrictEqual((yield* ada.get("/v1/users/profile")).at("preferences", "working_hours"), { ...free, monday: day })
    // Monday, 2026-01-05: half an hour of it is lunch, and in Berlin it is an hour later.
    yield* ada.post("/v1/logs", { title: "t", type: "code", start_time: "2026-01-05T10:30:00Z", end_time: "2026-01-05T12:30:00Z" })
    const days = "start_date=2026-01-05&end_date=2026-01-06"
    assert.deepStrictEqual((yield* ada.get(`/v1/analytics/dashboard?${days}`)).at("outside_working_hours"), { minutes: 30, entries: 1, share: 25 })
    assert.deepStrictEqual((yield* ada.get("/v1/analytics/productivity-trends?weeks=1")).at("weeks", 0, "outside_working_hours"), { minutes: 0, entries: 0, share: 0 })
    const refused = yield* ada.put("/v1/users/preferences", {
      timezone: "UTC", working_hours: { monday: [{ start: "17:00", end: "9:00" }], friday: [{ start: "09:00", end: "12:00" }, { start: "11:00", end: "13:00" }] }
    })
    assert.strictEqual(refused.status, 400)
    for (const problem of [
      "working_hours.monday[0].end: must be a time of day as HH:MM, from 00:00 to 24:00",
      "working_hours.friday[1].start: must not be before the end of the interval before it"
    ]) assert.include(refused.error, problem)
    assert.strictEqual((yield* ada.put("/v1/users/preferences", { timezone: "UTC", working_hours: free })).error, "working_hours: must have an interval, or be null")
    assert.strictEqual((yield* ada.put("/v1/users/preferences", { timezone: "UTC" })).at("working_hours"), null)
    assert.strictEqual((yield* ada.get(`/v1/analytics/dashboard?${days}`)).at("outside_working_hours"), null)
  }))

  it.effect("changes the password with the old one, which ends every other session", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    const elsewhere = yield* ada.logIn()
    const wrong = yield* ada.put("/v1/users/password", { current_password: "not it at all", new_password: another })
    assert.deepStrictEqual([wrong.status, wrong.error], [403, "current_password: is wrong"])
    assert.strictEqual((yield* ada.put("/v1/users/password", { current_password: password, new_password: "short" })).status, 400)
    assert.strictEqual((yield* ada.put("/v1/users/password", { current_password: password, new_password: another })).status, 204)
    assert.strictEqual((yield* ada.logIn(password)).status, 401)
    assert.strictEqual((yield* ada.logIn(another)).status, 200)
    assert.strictEqual((yield* untilRefused(ask("GET", "/v1/auth/me", { token: elsewhere.token }))).status, 401)
    assert.strictEqual((yield* ask("POST", "/v1/auth/refresh", { body: { refresh_token: elsewhere.refresh } })).status, 401)
    assert.strictEqual((yield* ada.get("/v1/auth/me")).status, 200)
    const sql = yield* SqlClient.SqlClient
    yield* eventually(
      sql<{ event: string }>`SELECT event FROM security_events WHERE user_id = ${ada.id} AND event LIKE 'password_%'`,
      (rows) => ["password_changed", "password_refused"].every((event) => rows.some((row) => row.event === event))
    )
  }))

  it.effect("has as many guesses at the password as at logins, together", () => Effect.gen(function*() {
    const ada = yield* somebody()
    for (let guess = 0; guess < loginLimits.account.limit; guess++) {
      const answer = guess % 2 === 0
        ? yield* ada.put("/v1/users/password", { current_password: `guess ${guess}`, new_password: another })
        : yield* ada.logIn(`guess ${guess}`)
      assert.include([401, 403], answer.status)
    }
    const refused = yield* ada.put("/v1/users/password", { current_password: password, new_password: another })
    assert.strictEqual(refused.status, 429)
    assert.isAtLeast(Number(refused.headers["retry-after"]), 1)
    assert.strictEqual((yield* ada.post("/v1/users/delete", { password })).status, 429)
  }), 60_000)

  it.effect("sees where they are logged in and ends one session, or all others", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    const [phone, train] = [yield* ada.logIn(), yield* ada.logIn()]
    const sessions = yield* ada.get("/v1/users/sessions?limit=2")
    assert.lengthOf(list(sessions.at("items")), 2)
    const rest = yield* ada.get(`/v1/users/sessions?limit=2&cursor=${String(sessions.at("next_cursor"))}`)
    assert.deepInclude(rest.at("items", 0), { current: true, address: "127.0.0.1" })
    assert.strictEqual(rest.at("next_cursor"), null)
    assert.strictEqual(sessions.at("items", 0, "current"), false)
    assert.isAtLeast(Date.parse(String(sessions.at("items", 0, "expires_at"))), Date.now() + 29 * 86_400_000)
    assert.strictEqual((yield* ada.remove(`/v1/users/sessions/${String(sessions.at("items", 0, "id"))}`)).status, 204)
    assert.strictEqual((yield* ada.remove(`/v1/users/sessions/${String(sessions.at("items", 0, "id"))}`)).status, 404)
    assert.strictEqual((yield* untilRefused(ask("GET", "/v1/auth/me", { token: train.token }))).status, 401)
    assert.deepStrictEqual((yield* ada.remove("/v1/users/sessions")).body, { revoked: 1 })
    assert.strictEqual((yield* ask("POST", "/v1/auth/refresh", { body: { refresh_token: phone.refresh } })).status, 401)
    assert.lengthOf(list((yield* ada.get("/v1/users/sessions")).at("items")), 1)
    const sql = yield* SqlClient.SqlClient
    const stored = yield* sql`SELECT address, user_agent FROM refresh_token_families WHERE user_id = ${ada.id}`
    assert.notInclude(JSON.stringify(stored), "127.0.0.1")
  }))

  it.effect("ends no session of somebody else", () => Effect.gen(function*() {
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const id = String((yield* ada.get("/v1/users/sessions")).at("items", 0, "id"))
    assert.strictEqual((yield* eve.remove(`/v1/users/sessions/${id}`)).status, 404)
    yield* eve.remove("/v1/users/sessions")
    assert.lengthOf(list((yield* ada.get("/v1/users/sessions")).at("items")), 1)
  }))
})
