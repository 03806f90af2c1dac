/** The page that says what every column holds, held against the database. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { TestDatabase } from "../support/TestDatabase.ts"

const page = fs.readFileSync(fileURLToPath(new URL("../../../../migrations/COLUMNS.md", import.meta.url)), "utf8")

/** `table.column` with how it is kept. */
const classified = page.split(/^## /m).slice(1).flatMap((section) => {
  const table = section.split("\n", 1)[0] ?? ""
  return [...section.matchAll(/^\| (`.+`) \| (\w+) \|/gm)].flatMap(([, columns = "", how = ""]) =>
    [...columns.matchAll(/`(\w+)`/g)].map(([, column = ""]) => ({ name: `${table}.${column}`, how })))
})
const kept = (how: string) => classified.filter((column) => column.how === how).map(({ name }) => name)

layer(TestDatabase.layer)("migrations/COLUMNS.md", (it) => {
  const columns = Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql<{ name: string; sealed: boolean; type: string }>`
      SELECT table_name || '.' || column_name AS name, domain_name IS NOT DISTINCT FROM 'encrypted_text' AS sealed, data_type AS type
      FROM information_schema.columns WHERE table_schema = 'public'`)

  it.effect("says of every column what it holds, once, and of no other", () => Effect.gen(function*() {
    assert.sameMembers(classified.map(({ name }) => name), (yield* columns).map(({ name }) => name))
    assert.sameMembers([...new Set(classified.map(({ how }) => how))], ["plain", "personal", "encrypted", "hashed", "emptied"])
  }))

  it.effect("calls encrypted what the database takes only encrypted", () => Effect.gen(function*() {
    assert.sameMembers(kept("encrypted"), (yield* columns).filter(({ sealed }) => sealed).map(({ name }) => name))
  }))

  it.effect("calls hashed whatever is called a hash or a digest, and bytes that are neither nowhere", () => Effect.gen(function*() {
    const all = yield* columns
    assert.includeMembers(kept("hashed"), all.filter(({ name }) => /hash|digest|token/.test(name.split(".")[1] ?? "")).map(({ name }) => name))
    assert.includeMembers(kept("hashed"), all.filter(({ type }) => type === "bytea").map(({ name }) => name))
  }))
})
