import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { outageOf } from "../../src/db/Outage.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const loseConnection = SqlClient.SqlClient.use((sql) => sql`SELECT pg_terminate_backend(pg_backend_pid())`)

layer(TestDatabase.layer, { excludeTestServices: true, timeout: "60 seconds" })("a transaction whose connection is lost", (it) => {
  it.effect("fails as an outage", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    assert.strictEqual(outageOf(yield* Effect.flip(sql.withTransaction(loseConnection))), "away")
  }))

  it.effect("fails as an outage inside a savepoint, too", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    assert.strictEqual(outageOf(yield* Effect.flip(sql.withTransaction(sql.withTransaction(loseConnection)))), "away")
  }))

  it.effect("is not taken for committed when it is lost unnoticed before the savepoint ends", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const failure = yield* Effect.flip(sql.withTransaction(sql.withTransaction(Effect.ignore(loseConnection))))
    assert.strictEqual(outageOf(failure), "away")
  }))
})
