import { assert, layer } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { WeeklyReports } from "../../src/insights/WeeklyReports.ts"
import { newOwner, QueueEngine } from "../support/QueueEngine.ts"

/** Tests run on one database: each has years of its own. */
const world = WeeklyReports.layer.pipe(Layer.provideMerge(QueueEngine))

/** A user who has been here since before the year. */
const user = Effect.fnUntraced(function*(timezone: string, since: string, preferences: Record<string, unknown> = {}) {
  const sql = yield* SqlClient.SqlClient
  const { user_id } = yield* newOwner()
  yield* sql`UPDATE users SET timezone = ${timezone}, created_at = ${since}::text::timestamptz, preferences = ${JSON.stringify(preferences)}::text::jsonb WHERE id = ${user_id}`
  return user_id
})

const works = (user_id: string, start: string) =>
  SqlClient.SqlClient.use((sql) =>
    sql`INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
      VALUES (gen_random_uuid(), ${user_id}, 't', 'code', ${start}::text::timestamptz, ${start}::text::timestamptz + interval '1 hour')`)

/** What is submitted by then, by all servers together. */
const submitAt = (now: string) => WeeklyReports.use((reports) => reports.submitDueAt(DateTime.makeUnsafe(now)))

const weeksOf = (user_id: string) =>
  SqlClient.SqlClient.use((sql) => sql<{ payload: { start_date: string; end_date: string; scheduled: boolean; report_type: string } }>`
    SELECT payload FROM tasks WHERE user_id = ${user_id} AND kind = 'WEEKLY_REPORT' ORDER BY id`).pipe(
      Effect.map((rows) => rows.map(({ payload }) => `${payload.start_date} ${payload.end_date} ${payload.report_type} ${payload.scheduled}`))
    )

const report = (start: string, end: string) => `${start} ${end} weekly true`

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("weekly reports", (it) => {
  it.effect("are submitted on Monday at nine, by each user's own clock, once", () => Effect.gen(function*() {
    const [berlin, sao] = [yield* user("Europe/Berlin", "2000-01-01Z"), yield* user("America/Sao_Paulo", "2000-01-01Z")]
    for (const one of [berlin, sao]) yield* works(one, "2001-01-10T12:00:00Z")
    yield* submitAt("2001-01-15T07:59:59Z")
    assert.deepStrictEqual(yield* weeksOf(berlin), [])
    yield* submitAt("2001-01-15T08:00:00Z")
    assert.deepStrictEqual(yield* weeksOf(berlin), [report("2001-01-08", "2001-01-14")])
    assert.deepStrictEqual(yield* weeksOf(sao), [])
    yield* submitAt("2001-01-15T11:00:00Z")
    assert.deepStrictEqual(yield* weeksOf(sao), [report("2001-01-08", "2001-01-14")])
    assert.strictEqual(yield* submitAt("2001-01-15T11:15:00Z"), 0)
    assert.strictEqual(yield* submitAt("2001-01-21T11:15:00Z"), 0)
  }))

  it.effect("are submitted once by many servers at once", () => Effect.gen(function*() {
    const users = yield* Effect.forEach(Array.from({ length: 20 }), () => user("Asia/Tokyo", "2002-01-01Z"))
    yield* Effect.forEach(users, (one) => works(one, "2003-01-08T03:00:00Z"))
    const counts = yield* Effect.all(Array.from({ length: 6 }, () => submitAt("2003-01-13T00:00:00Z")), { concurrency: "unbounded" })
    assert.strictEqual(counts.reduce((sum, one) => sum + one), 20)
    for (const one of users) assert.lengthOf(yield* weeksOf(one), 1)
  }))

  it.effect("neither skip nor repeat a week when clocks change, for a year in many zones", () => Effect.gen(function*() {
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "America/Sao_Paulo", "Asia/Kathmandu"]
    const users = yield* Effect.forEach(zones, (zone) => user(zone, "2003-12-01Z"))
    const sql = yield* SqlClient.SqlClient
    for (const one of users) {
      yield* sql`INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
        SELECT gen_random_uuid(), ${one}::uuid, 't', 'code', d, d + interval '1 hour'
        FROM generate_series('2004-01-01T12:00:00Z'::timestamptz, '2004-12-31T12:00:00Z'::timestamptz, interval '1 day') AS d`
    }
    const start = DateTime.makeUnsafe("2004-01-05T00:00:00Z")
    for (let look = 0; look < 244; look++) yield* submitAt(DateTime.formatIso(DateTime.add(start, { hours: look * 36 })))
    for (const one of users) {
      const weeks = (yield* weeksOf(one)).map((week) => week.slice(0, 10))
      assert.isAtLeast(weeks.length, 51)
      assert.strictEqual(new Set(weeks).size, weeks.length)
      for (const [index, week] of weeks.entries()) {
        if (index > 0) assert.strictEqual(DateTime.formatIsoDateUtc(DateTime.add(DateTime.makeUnsafe(`${weeks[index - 1]}T00:00:00Z`), { days: 7 })), week)
      }
    }
  }), 60_000)

  it.effect("come once to whoever moves to another zone on that Monday", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* user("Europe/Berlin", "2004-01-01Z")
    for (const day of ["2005-01-05T12:00:00Z", "2005-01-12T12:00:00Z", "2005-01-19T12:00:00Z"]) yield* works(ada, day)
    yield* submitAt("2005-01-10T09:00:00Z")
    yield* submitAt("2005-01-17T09:00:00Z")
    yield* sql`UPDATE users SET timezone = 'America/Los_Angeles' WHERE id = ${ada}`
    yield* submitAt("2005-01-17T10:00:00Z")
    yield* submitAt("2005-01-17T17:30:00Z")
    yield* submitAt("2005-01-24T17:30:00Z")
    yield* sql`UPDATE users SET timezone = 'Pacific/Kiritimati' WHERE id = ${ada}`
    yield* submitAt("2005-01-25T00:00:00Z")
    assert.deepStrictEqual(yield* weeksOf(ada), [report("2005-01-03", "2005-01-09"), report("2005-01-10", "2005-01-16"), report("2005-01-17", "2005-01-23")])
  }))

  it.effect("are made up for after an outage, until the next Monday", () => Effect.gen(function*() {
    const ada = yield* user("UTC", "2005-12-01Z")
    for (const day of ["2006-01-04T12:00:00Z", "2006-01-11T12:00:00Z"]) yield* works(ada, day)
    yield* submitAt("2006-01-22T23:00:00Z")
    assert.deepStrictEqual(yield* weeksOf(ada), [report("2006-01-09", "2006-01-15")], "what is older is not news any more")
    yield* works(ada, "2006-01-18T12:00:00Z")
    yield* submitAt("2006-01-29T23:45:00Z")
    assert.deepStrictEqual(yield* weeksOf(ada), [report("2006-01-09", "2006-01-15"), report("2006-01-16", "2006-01-22")])
  }))

  it.effect("come to nobody who does not want them, recorded nothing, or was not here yet", () => Effect.gen(function*() {
    const unwilling = yield* user("UTC", "2006-12-01Z", { weekly_report: false })
    const idle = yield* user("UTC", "2006-12-01Z")
    const fresh = yield* user("UTC", "2007-01-15T09:00:01Z")
    for (const one of [unwilling, fresh]) yield* works(one, "2007-01-10T12:00:00Z")
    yield* works(idle, "2007-01-15T01:00:00Z")
    yield* submitAt("2007-01-15T12:00:00Z")
    for (const one of [unwilling, idle, fresh]) assert.deepStrictEqual(yield* weeksOf(one), [])
  }))

  it.effect("are kept from nobody by a time zone that PostgreSQL does not know", () => Effect.gen(function*() {
    const [odd, ada] = [yield* user("Nowhere/Else", "2007-12-01Z"), yield* user("UTC", "2007-12-01Z")]
    for (const one of [odd, ada]) yield* works(one, "2008-01-09T12:00:00Z")
    yield* submitAt("2008-01-14T09:00:00Z")
    for (const one of [odd, ada]) assert.deepStrictEqual(yield* weeksOf(one), [report("2008-01-07", "2008-01-13")])
  }))

  it.effect("of many are submitted portion by portion, each user once", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const users = 450
    yield* sql`INSERT INTO users (id, email, password_hash, first_name, last_name, created_at)
      SELECT gen_random_uuid(), 'many-' || n || '@example.com', 'none', 'A', 'B', '2008-12-01Z' FROM generate_series(1, ${users}::int) AS n`
    yield* sql`INSERT INTO organizations (id, name, personal_of) SELECT gen_random_uuid(), 'A', id FROM users WHERE email LIKE 'many-%'`
    yield* sql`INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
      SELECT gen_random_uuid(), id, 't', 'code', '2009-01-07T12:00:00Z', '2009-01-07T13:00:00Z' FROM users WHERE email LIKE 'many-%'`
    assert.strictEqual(yield* submitAt("2009-01-12T09:00:00Z"), users)
    assert.strictEqual(yield* submitAt("2009-01-12T09:15:00Z"), 0)
    const taken = yield* sql`SELECT count(*)::int AS count FROM weekly_reports w JOIN users u ON u.id = w.user_id WHERE u.email LIKE 'many-%'`
    assert.deepStrictEqual(taken, [{ count: users }])
  }), 60_000)

  it.effect("are taken with their task or not at all", () => Effect.gen(function*() {
    const ada = yield* user("UTC", "2009-12-01Z")
    yield* works(ada, "2010-01-06T12:00:00Z")
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE FUNCTION refuse_tasks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$`
    yield* sql`CREATE TRIGGER refuse_tasks BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION refuse_tasks()`
    assert.strictEqual((yield* Effect.exit(submitAt("2010-01-11T10:00:00Z")))._tag, "Failure")
    assert.lengthOf(yield* sql`SELECT 1 FROM weekly_reports WHERE user_id = ${ada}`, 0)
    yield* sql`DROP TRIGGER refuse_tasks ON tasks`
    yield* submitAt("2010-01-11T10:15:00Z")
    assert.deepStrictEqual(yield* weeksOf(ada), [report("2010-01-04", "2010-01-10")])
  }))
})
