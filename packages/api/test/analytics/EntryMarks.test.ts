/** The one mark of what changed among entries, and its two readers. */
import { assert, describe, layer } from "@effect/vitest"
import { UserId } from "@englog/domain/Ids"
import { DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { RollupRepo } from "../../src/analytics/RollupRepo.ts"
import { UserMetricsRepo } from "../../src/analytics/UserMetricsRepo.ts"
import { Migrations } from "../../src/db/Migrations.ts"
import { TestApi } from "../http/TestApi.ts"
import { member } from "../support/Members.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const DAY = "2026-03-02"
const owner = Effect.fnUntraced(function*(email: string) {
  const ada = yield* member(email)
  return { ada, user: UserId.make(ada.id), at: (time: string) => ada.at(`${DAY}T${time}:00.000Z`, 30) }
})
const marksOf = (user: string) =>
  SqlClient.SqlClient.use((sql) => sql<{ day: string | null; measured: boolean }>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day, measured FROM entry_marks WHERE user_id = ${user} ORDER BY day NULLS FIRST, measured`)
const isStale = (user: UserId) => UserMetricsRepo.use((metrics) => Effect.map(metrics.takeStale(1_000), (stale) => stale.some(({ user_id }) => user_id === user)))
const giveBack = (user: UserId) => UserMetricsRepo.use((metrics) => metrics.giveBack([user]))
const rightDays = (user: UserId) =>
  RollupRepo.use((rollups) => Effect.map(rollups.right([{ id: user, timezone: "UTC" }], { first: DAY, last: DAY }), (right) => right.map(({ date }) => date)))
const rollUp = (user: UserId) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rollups = yield* RollupRepo
    yield* sql.withTransaction(Effect.gen(function*() {
      assert.isTrue(yield* rollups.lock(user))
      yield* rollups.store(user, "UTC", [{ date: DAY, projects: [] }])
    }))
  })
const measure = (user: UserId) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(UserMetricsRepo.use(({ begin }) => begin(user))))

const world = Layer.mergeAll(RollupRepo.layer, UserMetricsRepo.layer).pipe(Layer.provideMerge(TestApi.layer))

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("a mark of changed entries", (it) => {
  it.effect("is read by metrics and by the day's roll-up, and goes once both have read it", () => Effect.gen(function*() {
    const { at, user } = yield* owner("marks-both@example.com")
    yield* at("09:00")
    assert.deepStrictEqual(yield* marksOf(user), [{ day: null, measured: false }], "there is no roll-up yet")
    yield* rollUp(user)
    assert.deepStrictEqual(yield* rightDays(user), [DAY])
    assert.isTrue(yield* isStale(user))
    yield* measure(user)
    assert.deepStrictEqual(yield* marksOf(user), [])
    for (const metricsFirst of [true, false]) {
      yield* at("10:00")
      assert.deepStrictEqual(yield* marksOf(user), [{ day: DAY, measured: false }])
      assert.deepStrictEqual(yield* rightDays(user), [])
      yield* metricsFirst ? measure(user) : rollUp(user)
      assert.deepStrictEqual(yield* marksOf(user), [metricsFirst ? { day: DAY, measured: true } : { day: null, measured: false }])
      assert.deepStrictEqual(yield* rightDays(user), metricsFirst ? [] : [DAY])
      assert.strictEqual(yield* isStale(user), !metricsFirst)
      yield* metricsFirst ? rollUp(user) : measure(user)
      assert.deepStrictEqual([yield* marksOf(user), yield* rightDays(user), yield* isStale(user)], [[], [DAY], false])
    }
  }))

  it.effect("is made once however much is written, by any statement, and not for text", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { at, user } = yield* owner("marks-once@example.com")
    const id = yield* at("09:00")
    yield* rollUp(user)
    yield* measure(user)
    yield* sql`UPDATE log_entries SET updated_at = now() WHERE id = ${id}::uuid`
    assert.deepStrictEqual(yield* marksOf(user), [])
    for (const time of ["10:00", "11:00", "12:00"]) yield* at(time)
    yield* sql`DELETE FROM log_entries WHERE id = ${id}::uuid`
    assert.deepStrictEqual(yield* marksOf(user), [{ day: DAY, measured: false }])
    yield* measure(user)
    yield* at("13:00")
    assert.deepStrictEqual(yield* marksOf(user), [{ day: DAY, measured: false }, { day: DAY, measured: true }])
    yield* measure(user)
    assert.deepStrictEqual(yield* marksOf(user), [{ day: DAY, measured: true }], "the roll-up needs no two")
    yield* sql`DELETE FROM users WHERE id = ${user}::uuid`
    assert.deepStrictEqual(yield* marksOf(user), [])
  }))

  it.effect("makes a user due once, for as long as a task may take", () => Effect.gen(function*() {
    const { at, user } = yield* owner("marks-due@example.com")
    yield* at("09:00")
    assert.deepStrictEqual([yield* isStale(user), yield* isStale(user)], [true, false])
    yield* giveBack(user)
    assert.isTrue(yield* isStale(user))
    yield* measure(user)
    assert.isFalse(yield* isStale(user))
  }))
})

describe("the migration to one mark", () => {
  layer(TestDatabase.empty, { excludeTestServices: true })("of an installation that has marks of both kinds", (it) => {
    it.effect("keeps what is stale, and since when", () => Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const all = Object.entries(Migrations.history)
      yield* Migrations.run(Object.fromEntries(all.filter(([name]) => name < "0032")))
      const [ada, ben] = [randomUUID(), randomUUID()]
      for (const id of [ada, ben]) yield* sql`INSERT INTO users (id, email, password_hash, first_name, last_name) VALUES (${id}, ${`${id}@example.com`}, 'x', 'A', 'B')`
      yield* sql`INSERT INTO day_rollups (user_id, day, timezone, starts_at, ends_at, projects)
        SELECT ${ada}::uuid, d::date, 'UTC', d, d + interval '1 day', '[]' FROM generate_series('2026-03-01'::timestamptz, '2026-03-03', '1 day') d`
      yield* sql`INSERT INTO stale_days (user_id, day) VALUES (${ada}, '2026-03-02'), (${ada}, '2026-03-02')`
      const since = DateTime.makeUnsafe("2026-03-02T10:00:00Z")
      yield* sql`INSERT INTO user_metrics (user_id, stale_since) VALUES (${ada}, NULL), (${ben}, ${DateTime.toDateUtc(since)})`
      yield* Migrations.run(Migrations.history)
      assert.deepStrictEqual(yield* marksOf(ada), [{ day: "2026-03-02", measured: true }])
      assert.deepStrictEqual(yield* marksOf(ben), [{ day: null, measured: false }])
      assert.deepStrictEqual(yield* sql`SELECT marked_at FROM entry_marks WHERE user_id = ${ben}::uuid`, [{ marked_at: DateTime.toDateUtc(since) }])
    }))
  })
})
