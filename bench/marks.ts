/**
 * `npm run bench:marks`: what a write of 1,000 entries costs in marks (docs/decisions/0049), for somebody without roll-ups and for one who
 * has them of the thirty days that are written to: milliseconds of the triggers, as PostgreSQL tells them, of one statement that is
 * rolled back; and of `POST /v1/logs/bulk` as a whole. Medians.
 */
import { Database } from "@englog/api/db/Database"
import { Installation } from "@englog/e2e/Installation"
import { ask, register } from "@englog/e2e/Person"
import { DateTime, Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { note, percentile, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const ROUNDS = 15
const BULKS = 5
const ENTRIES = 1_000
const DAYS = 30

const Plan = Schema.Struct({
  "QUERY PLAN": Schema.Tuple([Schema.Struct({
    "Execution Time": Schema.Finite,
    Triggers: Schema.Array(Schema.Struct({ "Trigger Name": Schema.String, Time: Schema.Finite }))
  })])
})
const decodePlans = Schema.decodeUnknownEffect(Schema.Tuple([Plan]))

/** Ends the transaction of a statement that was only to be measured. */
class Measured extends Schema.TaggedError<Measured>()("Measured", { triggers: Schema.Finite, statement: Schema.Finite }) {}

const median = (values: ReadonlyArray<number>) => rounded(percentile(values, 0.5))

const measured = Effect.fnUntraced(function*(write: (sql: SqlClient.SqlClient) => Effect.Effect<ReadonlyArray<unknown>, SqlError>) {
  const sql = yield* SqlClient.SqlClient
  const figures = yield* Effect.forEach(Array.from({ length: ROUNDS }), () =>
    sql.withTransaction(Effect.gen(function*() {
      const [{ "QUERY PLAN": [plan] }] = yield* Effect.flatMap(write(sql), decodePlans)
      const ours = plan.Triggers.filter(({ "Trigger Name": name }) => name.startsWith("days_change_on_"))
      return yield* new Measured({ triggers: ours.reduce((sum, { Time }) => sum + Time, 0), statement: plan["Execution Time"] })
    })).pipe(Effect.catchTag("Measured", Effect.succeed)))
  return { triggers_ms: median(figures.map(({ triggers }) => triggers)), statement_ms: median(figures.map(({ statement }) => statement)) }
})

const statements = (user: string) => ({
  insert: (sql: SqlClient.SqlClient) => sql`
    EXPLAIN (ANALYZE, FORMAT JSON) INSERT INTO log_entries (id, user_id, project_id, title, type, start_time, end_time)
    SELECT gen_random_uuid(), user_id, project_id, title, type, start_time + interval '1 minute', end_time + interval '1 minute'
    FROM log_entries WHERE user_id = ${user}::uuid LIMIT ${ENTRIES}::int`,
  update: (sql: SqlClient.SqlClient) => sql`
    EXPLAIN (ANALYZE, FORMAT JSON) UPDATE log_entries SET start_time = start_time - interval '1 minute'
    WHERE id IN (SELECT id FROM log_entries WHERE user_id = ${user}::uuid LIMIT ${ENTRIES}::int)`,
  delete: (sql: SqlClient.SqlClient) => sql`
    EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries WHERE user_id = ${user}::uuid LIMIT ${ENTRIES}::int)`
})

const bulk = (number: number) => ({
  operations: Array.from({ length: ENTRIES }, (_, index) => {
    const start = DateTime.makeUnsafe(Date.UTC(2026, 2, 1 + index % DAYS, 8 + number, index % 60))
    return {
      action: "create",
      entry: { title: `Entry ${index}`, type: "code", start_time: DateTime.formatIso(start), end_time: DateTime.formatIso(DateTime.add(start, { minutes: 20 })) }
    }
  })
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const ofPerson = Effect.fnUntraced(function*(name: string, rolledUp: boolean) {
    const person = yield* register(api.url, `${name}@example.com`)
    const sql = yield* SqlClient.SqlClient
    const first = yield* ask("POST", `${api.url}/v1/logs/bulk`, { token: person.token, body: bulk(0) })
    if (!first.text.includes("\"failed\":0")) return yield* Effect.die(new Error(first.text.slice(0, 1_000)))
    if (rolledUp) {
      yield* sql`
        INSERT INTO day_rollups (user_id, day, timezone, starts_at, ends_at, projects)
        SELECT ${person.user_id}::uuid, d::date, 'UTC', d, d + interval '1 day', '[]'
        FROM generate_series('2026-03-01'::timestamptz, '2026-03-30'::timestamptz, interval '1 day') d`
    }
    yield* sql`ANALYZE`
    const of = statements(person.user_id)
    const told = { insert: yield* measured(of.insert), update: yield* measured(of.update), delete: yield* measured(of.delete) }
    const bulks = yield* Effect.forEach(Array.from({ length: BULKS }, (_, index) => index + 1), (number) =>
      Effect.map(timed(ask("POST", `${api.url}/v1/logs/bulk`, { token: person.token, body: bulk(number) })), ({ ms }) => ms))
    yield* note(`${name}: bulk of ${ENTRIES} ${median(bulks)} ms`)
    return { ...told, bulk_ms: median(bulks) }
  })
  const database = Database.layer({ url: Redacted.make(yield* installation.postgresUrl), maxConnections: 1 })
  const figures = yield* Effect.all({ without_rollups: ofPerson("without-rollups", false), with_rollups: ofPerson("with-rollups", true) }).pipe(Effect.provide(database))
  yield* report("marks", { entries: ENTRIES, ...figures })
}), "10 minutes")
