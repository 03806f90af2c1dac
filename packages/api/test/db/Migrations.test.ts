import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../../src/db/Database.ts"
import { Migrations } from "../../src/db/Migrations.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const createTable = (name: string) => `
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
export default Effect.flatMap(SqlClient.SqlClient, (sql) => sql\`CREATE TABLE ${name} (id int PRIMARY KEY)\`)
`

/** A folder inside the package, so that the files resolve `effect`. */
const folderOf = Effect.fnUntraced(function*(files: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ directory: import.meta.dirname, prefix: ".migrations-" })
  yield* Effect.forEach(Object.entries(files), ([name, text]) => fs.writeFileString(`${folder}/${name}`, text))
  return folder
})

const otherProcess = Effect.gen(function*() {
  const { url } = yield* TestDatabase
  return Context.get(yield* Layer.build(Layer.fresh(Database.layer({ url }))), SqlClient.SqlClient)
})

const suite = Layer.merge(TestDatabase.empty, NodeFileSystem.layer)

describe("Migrations", () => {
  layer(suite, { excludeTestServices: true })("on an empty database", (it) => {
    it.effect("apply every file once, in order of number, and nothing the second time", () =>
      Effect.gen(function*() {
        const folder = yield* folderOf({ "0002_b.ts": createTable("b"), "0001_a.ts": createTable("a"), "README.md": "" })
        assert.deepStrictEqual(yield* Migrations.run(folder), [[1, "a"], [2, "b"]])
        assert.deepStrictEqual(yield* Migrations.run(folder), [])
      }))
  })

  layer(suite, { excludeTestServices: true })("when eight processes start at the same moment", (it) => {
    it.effect("let exactly one of them migrate while the others wait for it and succeed", () =>
      Effect.gen(function*() {
        const folder = yield* folderOf({ "0001_a.ts": createTable("a"), "0002_b.ts": createTable("b") })
        const clients = yield* Effect.replicateEffect(otherProcess, 8)
        const applied = yield* Effect.forEach(
          clients,
          (sql) => Migrations.run(folder).pipe(Effect.provideService(SqlClient.SqlClient, sql)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(applied.map((list) => list.length).sort(), [0, 0, 0, 0, 0, 0, 0, 2])
      }))
  })

  layer(suite, { excludeTestServices: true })("on a database with another history", (it) => {
    it.effect("refuse a database that is newer than the code, a renamed file and a late number", () =>
      Effect.gen(function*() {
        yield* Migrations.run(yield* folderOf({ "0001_a.ts": createTable("a"), "0003_c.ts": createTable("c") }))
        const messageOf = Effect.fnUntraced(function*(files: Readonly<Record<string, string>>) {
          return (yield* Effect.flip(Migrations.run(yield* folderOf(files)))).message
        })
        assert.match(yield* messageOf({ "0001_a.ts": "" }), /newer than this program: it has migration 3 \(c\)/)
        assert.match(yield* messageOf({ "0001_z.ts": "", "0003_c.ts": "" }), /Migration 1 was applied as a but is called z/)
        assert.match(
          yield* messageOf({ "0001_a.ts": "", "0002_b.ts": "", "0003_c.ts": "" }),
          /Migration 2 \(b\) was never applied although 3 was/
        )
      }))
  })

  layer(suite, { excludeTestServices: true })("when a file fails", (it) => {
    it.effect("leave nothing of any pending file behind and say which one failed and why", () =>
      Effect.gen(function*() {
        const folder = yield* folderOf({ "0001_a.ts": createTable("a"), "0002_b.ts": createTable("a") })
        const error = yield* Effect.flip(Migrations.run(folder))
        assert.match(error.message, /Migration "2_b" failed: .*already exists/)
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`SELECT to_regclass('a') AS a, to_regclass('englog_migrations') AS m`, [{ a: null, m: null }])
      }))
  })

  layer(TestDatabase.layer, { excludeTestServices: true })("in a suite's database", (it) => {
    it.effect("are already applied: the project's own files leave nothing to do", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Migrations.run(Migrations.directory), [])
        const { url, name } = yield* TestDatabase
        assert.include(Redacted.value(url), name)
      }))
  })
})
