import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { fileURLToPath } from "node:url"
import { Database } from "../../src/db/Database.ts"
import { Migrations } from "../../src/db/Migrations.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const createTable = (name: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE TABLE ${sql(name)} (id int PRIMARY KEY)`)

const otherProcess = Effect.gen(function*() {
  const { url } = yield* TestDatabase
  return Context.get(yield* Layer.build(Layer.fresh(Database.layer({ url }))), SqlClient.SqlClient)
})

describe("Migrations", () => {
  layer(TestDatabase.empty, { excludeTestServices: true })("on an empty database", (it) => {
    it.effect("apply every step once, in order of number, and nothing the second time", () =>
      Effect.gen(function*() {
        const history = { "0002_b": createTable("b"), "0001_a": createTable("a") }
        assert.deepStrictEqual(yield* Migrations.run(history), [[1, "a"], [2, "b"]])
        assert.deepStrictEqual(yield* Migrations.run(history), [])
      }))
  })

  layer(TestDatabase.empty, { excludeTestServices: true })("when eight processes start at the same moment", (it) => {
    it.effect("let exactly one of them migrate while the others wait for it and succeed", () =>
      Effect.gen(function*() {
        const history = { "0001_a": createTable("a"), "0002_b": createTable("b") }
        const clients = yield* Effect.replicateEffect(otherProcess, 8)
        const applied = yield* Effect.forEach(
          clients,
          (sql) => Migrations.run(history).pipe(Effect.provideService(SqlClient.SqlClient, sql)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(applied.map((list) => list.length).sort(), [0, 0, 0, 0, 0, 0, 0, 2])
      }))
  })

  layer(TestDatabase.empty, { excludeTestServices: true })("on a database with another history", (it) => {
    it.effect("refuse a database that is newer than the code, a renamed step and a late number", () =>
      Effect.gen(function*() {
        yield* Migrations.run({ "0001_a": createTable("a"), "0003_c": createTable("c") })
        const messageOf = (...names: ReadonlyArray<string>) =>
          Effect.map(Effect.flip(Migrations.run(Object.fromEntries(names.map((name) => [name, Effect.void])))), (error) => error.message)
        assert.match(yield* messageOf("0001_a"), /newer than this program: it has migration 3 \(c\)/)
        assert.match(yield* messageOf("0001_z", "0003_c"), /Migration 1 was applied as a but is called z/)
        assert.match(
          yield* messageOf("0001_a", "0002_b", "0003_c"),
          /Migration 2 \(b\) was never applied although 3 was/
        )
      }))
  })

  layer(TestDatabase.empty, { excludeTestServices: true })("when a step fails", (it) => {
    it.effect("leave nothing of any pending step behind and say which one failed and why", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Migrations.run({ "0001_a": createTable("a"), "0002_b": createTable("a") }))
        assert.match(error.message, /Migration "2_b" failed: .*already exists/)
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`SELECT to_regclass('a') AS a, to_regclass('englog_migrations') AS m`, [{ a: null, m: null }])
      }))
  })

  layer(TestDatabase.layer, { excludeTestServices: true })("in a suite's database", (it) => {
    it.effect("are already applied: the project's own history leaves nothing to do", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Migrations.run(Migrations.history), [])
        const { url, name } = yield* TestDatabase
        assert.include(Redacted.value(url), name)
      }))
  })

  it.effect("are all in the history that is applied, under the names of their files", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const files = yield* fs.readDirectory(fileURLToPath(new URL("../../../../migrations", import.meta.url)))
      assert.deepStrictEqual(Object.keys(Migrations.history), files.filter((file) => /^\d/.test(file)).map((file) => file.replace(/\.ts$/, "")).sort())
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
