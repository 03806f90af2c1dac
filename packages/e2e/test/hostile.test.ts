/** Every operation of the document that the server itself serves, asked in every wrong way; with whole processes. */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Database } from "@englog/api/db/Database"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import * as fc from "fast-check"
import { baselines } from "../src/hostile/Baseline.ts"
import { exchange, type Server } from "../src/hostile/Exchange.ts"
import { complaint, describe } from "../src/hostile/HostileRequest.ts"
import { attacksOn } from "../src/hostile/HostileRequests.ts"
import type { Attack } from "../src/hostile/Attack.ts"
import { Installation } from "../src/Installation.ts"
import { ask } from "../src/Person.ts"

/** Requests of each attack on each operation. */
const RUNS = 3

/** Told where a request was not refused as it should be; set it to see the same requests again. */
const seed = Number(process.env["HOSTILE_SEED"] ?? Math.trunc(Math.random() * 2 ** 31))

const attacked = Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  // It was here: e-mail can be sent. It is gone: none is, and no table changes by itself.
  const postman = yield* installation.startWorker("postman", { SMTP_URL: "smtp://127.0.0.1:9", SMTP_PLAIN: "true", MAIL_FROM: "englog@example.com" })
  yield* postman.end("SIGTERM")
  yield* installation.startWorker("worker")
  const { hostname: host, port } = new URL(api.url)
  const server: Server = { host, port: Number(port) }
  return { api, server, ...(yield* baselines(api.url, installation)) }
})

class Attacked extends Context.Service<Attacked, Effect.Success<typeof attacked>>()("@englog/e2e/test/Attacked") {
  static readonly layer = Layer.effect(Attacked, attacked)
}

const world = Attacked.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer))
)

/** What the baselines' entries have set going has ended: from then on no table changes by itself. */
const settled = Effect.gen(function*() {
  const { postgresUrl } = yield* Installation
  const database = Database.layer({ url: Redacted.make(yield* postgresUrl), maxConnections: 1 })
  yield* SqlClient.SqlClient.use((sql) => sql`
    SELECT 1 FROM entry_marks WHERE NOT measured UNION ALL SELECT 1 FROM task_queue WHERE kind = 'UPDATE_USER_METRICS'`).pipe(
    Effect.repeat({ until: (open) => open.length === 0, schedule: Schedule.spaced("100 millis") }),
    Effect.provide(database)
  )
})

/** Rows of every table, but for the one that tells of refusals. */
const rows = Effect.gen(function*() {
  const { postgresUrl } = yield* Installation
  const database = Database.layer({ url: Redacted.make(yield* postgresUrl), maxConnections: 1 })
  return yield* Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    // Tasks that the honest requests started are tried again meanwhile; what attacks had started would be tasks of their own. And
    // each quarter of an hour a job is noted the first time that it runs.
    const tables = yield* sql<{ readonly name: string }>`SELECT tablename AS name FROM pg_tables
      WHERE schemaname = 'public' AND tablename NOT IN ('jobs', 'security_events', 'task_events', 'webhook_attempts') ORDER BY 1`
    return yield* Effect.forEach(tables, ({ name }) =>
      Effect.map(sql<{ readonly count: number }>`SELECT count(*)::int AS count FROM ${sql(name)}`, ([row]) => `${name}: ${row?.count}`))
  }).pipe(Effect.provide(database))
})

/** What is wrong with the answers to some requests of an attack, each with what was sent. */
const complaintsAbout = (server: Server, { requests }: Attack, attack: number) =>
  Effect.map(
    Effect.forEach(fc.sample(requests, { seed: seed + attack, numRuns: RUNS }), (request) =>
      Effect.map(exchange(server, request), (outcome) => {
        const wrong = complaint(request, outcome)
        return wrong === undefined ? [] : [`${describe(request)}\n  ${wrong}`]
      })),
    (found) => found.flat()
  )

layer(world, { excludeTestServices: true, timeout: "3 minutes" })("hostile requests", (it) => {
  it.effect("get an error that names what is wrong, on every operation, and leave nothing behind", () =>
    Effect.gen(function*() {
      const { api, baselines, server } = yield* Attacked
      yield* settled
      const before = yield* rows
      const complaints = yield* Effect.forEach(baselines, (baseline) =>
        Effect.forEach(attacksOn(baseline), (attack, number) => complaintsAbout(server, attack, number)), { concurrency: 4 })
      assert.deepStrictEqual(complaints.flat(2), [], `with HOSTILE_SEED=${seed}`)
      assert.deepStrictEqual(yield* rows, before)
      assert.strictEqual((yield* ask("GET", `${api.url}/ready`)).status, 200)
    }))
})
