import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { ConnectionError, SqlError, SqlSyntaxError, UnknownError } from "effect/sql/SqlError"
import { inject } from "vitest"
import { Database } from "../../src/db/Database.ts"
import { outageOf } from "../../src/db/Outage.ts"
import { databaseOutage } from "../../src/http/errors/DatabaseOutage.ts"
import { cuttableProxy } from "../support/CuttableProxy.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { password, register, serverOn, TestApi } from "./TestApi.ts"

/** A proxy before a migrated database. */
class WayToDatabase extends Context.Service<WayToDatabase, {
  readonly url: Redacted.Redacted
  readonly cut: Effect.Effect<void>
}>()("@englog/api/test/http/WayToDatabase") {
  static readonly layer = Layer.effect(WayToDatabase, Effect.gen(function*() {
    const url = new URL(Redacted.value((yield* TestDatabase).url))
    const { cut, port } = yield* cuttableProxy(url.hostname, Number(url.port || 5432))
    url.port = String(port)
    url.hostname = "127.0.0.1"
    return WayToDatabase.of({ url: Redacted.make(url.href), cut })
  }))
}

const withCode = (code: string) =>
  new SqlError({ reason: new UnknownError({ cause: Object.assign(new Error("x"), { code }), message: "x", operation: "query" }) })

describe("a database error", () => {
  it("is an outage when PostgreSQL is away, starting, stopping or full", () => {
    assert.isDefined(databaseOutage(new SqlError({ reason: new ConnectionError({ cause: "x", message: "x", operation: "connect" }) })))
    for (const code of ["57P01", "57P02", "57P03", "53300"]) assert.isDefined(databaseOutage(withCode(code)), code)
  })

  it("names a full disk, for which coming back at once is of no use", () => {
    for (const code of ["53100", "25006"]) {
      const answer = databaseOutage(withCode(code))
      assert.match(answer?.error ?? "", /disk is full.*can be read/)
      assert.isAtLeast(answer?.retry_after ?? 0, 10)
    }
  })

  it("is ours when the statement is wrong", () => {
    assert.isUndefined(databaseOutage(new SqlError({ reason: new SqlSyntaxError({ cause: "x", message: "x", operation: "query" }) })))
    assert.isUndefined(databaseOutage(withCode("22P05")))
    assert.isUndefined(databaseOutage(new Error("x")))
  })
})

/** What a server needs of its database when it starts was there; then the way to it is cut. */
const CutOff = Layer.effectDiscard(Effect.flatMap(WayToDatabase, ({ cut }) => cut)).pipe(
  Layer.provideMerge(serverOn(Layer.unwrap(Effect.map(WayToDatabase, ({ url }) => Database.layer({ url, connectTimeout: "500 millis" }))))),
  Layer.provide(WayToDatabase.layer),
  Layer.provide(TestDatabase.layer),
  Layer.provide(NodeHttpClient.layerNodeHttp)
)

layer(CutOff, { excludeTestServices: true, timeout: "60 seconds" })("without PostgreSQL", (it) => {
  it.effect("requests are told to come back", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("POST", "/v1/auth/login", { body: { email: "ada@example.com", password } })
    assert.strictEqual(answer.status, 503)
    assert.isAtLeast(Number(answer.headers["retry-after"]), 1)
    assert.hasAllKeys(answer.body, ["error", "code", "details"])
  }))

  it.effect("the process lives but is not ready", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    assert.strictEqual((yield* ask("GET", "/live")).status, 200)
    const ready = yield* ask("GET", "/ready")
    assert.strictEqual(ready.status, 503)
    assert.isAtLeast(Number(ready.headers["retry-after"]), 1)
    const health = yield* ask("GET", "/health")
    assert.strictEqual(health.status, 503)
    assert.strictEqual(health.at("status"), "unhealthy")
    assert.strictEqual(health.at("components", "database", "status"), "down")
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("when every connection is cut", (it) => {
  it.effect("requests fail with 503 at worst and recover by themselves", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const { token } = yield* register("cut@example.com")
    yield* Effect.ignore(sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()`)
    const answers = yield* Effect.all(Array.from({ length: 20 }, () => ask("GET", "/v1/logs", { token })), { concurrency: 4 })
    for (const answer of answers) assert.include([200, 503], answer.status)
    assert.strictEqual((yield* ask("GET", "/v1/logs", { token })).status, 200)
  }))
})

const strict = Database.layer({ url: Redacted.make(inject("databaseServer")), maxConnections: 2, statementTimeout: "300 millis", acquireTimeout: "200 millis" })

layer(strict, { excludeTestServices: true, timeout: "20 seconds" })("nobody waits without end", (it) => {
  it.effect("for a statement", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const error = yield* Effect.flip(sql`SELECT pg_sleep(60)`)
    assert.strictEqual(outageOf(error), "slow")
  }))

  it.effect("for a free connection", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql.reserve
    yield* sql.reserve
    const error = yield* Effect.flip(sql`SELECT 1`)
    assert.strictEqual(outageOf(error), "away")
    assert.match(error.message, /became free/)
  }).pipe(Effect.scoped))

  it.effect("for a transaction whose connection has died, which fails as an outage and not as a bug", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const error = yield* Effect.flip(sql.withTransaction(sql`SELECT pg_terminate_backend(pg_backend_pid())`))
    assert.strictEqual(outageOf(error), "away")
  }))
})
