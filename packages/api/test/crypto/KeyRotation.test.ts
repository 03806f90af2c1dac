import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { fileURLToPath } from "node:url"
import { EncryptedColumn, encryptedColumns, plainColumns } from "../../src/crypto/EncryptedColumns.ts"
import { EncryptedValueRepo } from "../../src/crypto/EncryptedValueRepo.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { KeyRotation } from "../../src/crypto/KeyRotation.ts"
import { openAll, sealedEntries, sealedRows } from "../support/SealedRows.ts"
import { v1Value } from "../support/V1Value.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { newOwner } from "../support/QueueEngine.ts"

const key = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString("base64")}`
const [older, newer, foreign] = [key("older", 1), key("newer", 2), key("foreign", 3)]

/** As a server with these keys. */
const as = (...keys: ReadonlyArray<string>) =>
  Layer.fresh(Layer.mergeAll(KeyRotation.layer, EncryptedValueRepo.layer).pipe(
    Layer.provideMerge(FieldCipher.layer(Redacted.make(keys.join(","))))
  ))
const before = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, as(older))
const after = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, as(newer, older))

const quietly = () => Effect.void
const rotate = Effect.flatMap(KeyRotation, (rotation) => rotation.rotate(quietly))
const count = Effect.flatMap(KeyRotation, (rotation) => rotation.count)

/** A database for each test: a rotation sees all of it. */
const onItsOwn = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.provide(test, Layer.fresh(TestDatabase.layer).pipe(Layer.provideMerge(Logger.layer([]))))

describe("the rotation of keys", () => {
  it.live("leaves every value of every column readable, under the newest key alone", () => Effect.gen(function*() {
    yield* before(Effect.all([sealedRows("one"), sealedRows("two")]))
    const wasThere = yield* before(openAll)
    assert.sameMembers([...new Set(wasThere.map(({ place }) => place))], encryptedColumns.map(({ column, table }) => `${table}.${column}`))
    assert.deepStrictEqual((yield* after(count)).map(({ key_id, values }) => [key_id, values]), [["newer", 0], ["older", wasThere.length]])

    assert.strictEqual(yield* after(rotate), wasThere.length)

    const isThere = yield* Effect.provide(openAll, as(newer))
    const told = (values: typeof isThere) => values.map(({ place, text }) => `${place} ${text}`).sort()
    assert.deepStrictEqual(told(isThere), told(wasThere))
    assert.isTrue(isThere.every(({ value }) => value.startsWith("v2:newer:")))
    assert.deepStrictEqual((yield* after(count)).map(({ key_id, values }) => [key_id, values]), [["newer", wasThere.length], ["older", 0]])
    assert.strictEqual(yield* after(rotate), 0, "a second one finds nothing to do")
  }).pipe(onItsOwn))

  it.live("binds to its row what the format v1 bound to none, without a new key", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* before(sealedRows("text"))
    const legacy = v1Value(Buffer.alloc(32, 1), "older", "an old result", "tasks.text")
    yield* sql`UPDATE tasks SET result = ${legacy} WHERE task_id = ${rows.ended}`
    assert.deepInclude(yield* before(count), { key_id: "older", values: 56, outdated: 1 })
    assert.strictEqual(yield* before(rotate), 1)
    assert.include((yield* before(openAll)).map(({ text }) => text), "an old result")
  }).pipe(onItsOwn))

  it.live("never overwrites what a live write put there meanwhile", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { entry } = yield* before(sealedRows("read by the rotation"))
    yield* after(Effect.gen(function*() {
      const repo = yield* EncryptedValueRepo
      const cipher = yield* FieldCipher
      const column = EncryptedColumn.entryDescription
      const stale = yield* repo.outdated(column, cipher.currentPrefix, [], 10)
      const written = yield* cipher.encrypt("written meanwhile", column, entry)
      yield* sql`UPDATE log_entries SET description = ${written} WHERE id = ${entry}`
      const next = yield* cipher.encrypt("read by the rotation", column, entry)
      assert.strictEqual(yield* repo.replace(column, stale.map((value) => ({ ...value, next }))), 0)
      assert.deepStrictEqual(yield* sql`SELECT description FROM log_entries WHERE id = ${entry}`, [{ description: written }])
    }))
  }).pipe(onItsOwn))

  it.live("goes on beside writers, and every last write stays", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const user = yield* before(sealedEntries(3_000, (index) => `first ${index}`))
    const ids = yield* sql<{ id: string; title: string }>`SELECT id, title FROM log_entries WHERE user_id = ${user}`
    const chosen = ids.filter((_, index) => index % 3 === 0)
    const firstBatch = yield* Deferred.make<void>()
    // An API server that was not restarted yet knows both keys but writes with the older one.
    const writer = yield* Effect.forkChild(Effect.provide(
      Effect.andThen(Deferred.await(firstBatch), Effect.forEach(chosen, ({ id, title }) =>
        Effect.gen(function*() {
          const cipher = yield* FieldCipher
          const value = yield* cipher.encrypt(`last ${title}`, EncryptedColumn.entryDescription, id)
          yield* sql`UPDATE log_entries SET description = ${value} WHERE id = ${id}`
        }), { concurrency: 4 })),
      as(older, newer)
    ))
    yield* after(Effect.flatMap(KeyRotation, (rotation) => rotation.rotate(() => Deferred.succeed(firstBatch, undefined)))).pipe(Effect.ignore)
    yield* Fiber.join(writer)
    yield* after(rotate)
    const texts = (yield* Effect.provide(openAll, as(newer))).map(({ text }) => text)
    assert.lengthOf(texts, 3_000)
    assert.sameMembers(texts.filter((text) => text.startsWith("last")), chosen.map(({ title }) => `last ${title}`))
  }).pipe(onItsOwn))

  it.live("comes back for what a server writes with the older key behind it, and gives up where that does not end", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { entry } = yield* before(sealedRows("text"))
    const rotateWith = (writesBehind: number) =>
      Effect.gen(function*() {
        let left = writesBehind
        const write = Effect.gen(function*() {
          const value = yield* (yield* FieldCipher).encrypt("written behind it", EncryptedColumn.entryDescription, entry)
          yield* sql`UPDATE log_entries SET description = ${value} WHERE id = ${entry}`
        })
        const rotation = yield* KeyRotation
        return yield* rotation.rotate(({ column }) =>
          column === EncryptedColumn.securityEventAddress || left < writesBehind
            ? Effect.orDie(before(left-- > 0 ? write : Effect.void)).pipe(Effect.provideService(SqlClient.SqlClient, sql))
            : Effect.void)
      })
    yield* after(rotateWith(1))
    assert.include((yield* Effect.provide(openAll, as(newer))).map(({ text }) => text), "written behind it")
    yield* before(sealedRows("text"))
    const endless = yield* after(Effect.flip(rotateWith(1_000)))
    assert.strictEqual(endless._tag === "RotationIncomplete" ? endless.reason : endless._tag, "still_written")
    assert.include(endless.message, "\"older\"")
  }).pipe(onItsOwn))

  it.live("waits for every running server to have the new key", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* before(sealedRows("text"))
    const replica = randomUUID()
    yield* sql`INSERT INTO replicas (id, key_ids) VALUES (${replica}, '{older}')`
    const refused = yield* after(Effect.flip(rotate))
    assert.strictEqual(refused._tag === "RotationIncomplete" ? refused.reason : refused._tag, "server_without_key")
    assert.include(refused.message, "\"newer\"")
    yield* sql`UPDATE replicas SET seen_at = now() - interval '1 minute'`
    assert.isAbove(yield* after(rotate), 0)
  }).pipe(onItsOwn))

  it.live("rotates all others when some cannot be read, and says which", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* before(sealedRows("text"))
    const lost = yield* Effect.provide(
      Effect.flatMap(FieldCipher, (cipher) => cipher.encrypt("lost", EncryptedColumn.entryDescription, rows.entry)),
      as(foreign)
    )
    yield* sql`UPDATE log_entries SET description = ${lost} WHERE id = ${rows.entry}`
    const failed = yield* after(Effect.flip(rotate))
    assert.include(failed.message, `log_entries.description/${rows.entry} was encrypted with key "foreign"`)
    const counts = yield* after(count)
    assert.deepStrictEqual(counts.map(({ key_id, outdated }) => [key_id, outdated]), [["newer", 0], ["older", 0], ["foreign", 1]])
    assert.deepStrictEqual(yield* sql`SELECT description FROM log_entries`, [{ description: lost }], "it stays for whoever finds the key")
  }).pipe(onItsOwn))

  it.live("goes on where it was when its process is killed, at any moment", () => Effect.gen(function*() {
    yield* before(sealedEntries(6_000, (index) => `entry ${index}`))
    yield* before(sealedRows("text"))
    const { url } = yield* TestDatabase
    const env = { DATABASE_URL: Redacted.value(url), ENCRYPTION_KEYS: `${newer},${older}`, JWT_SECRET_KEY: "x".repeat(40) }
    for (const batches of [1, 4]) {
      const killed = yield* admin(env, ["rotate-keys"], (output) => output.split("\nlog_entries.").length > batches)
      assert.strictEqual(killed.signal, "SIGKILL")
      const counts = yield* after(count)
      assert.isTrue(counts.every(({ values }) => values > 0), "it was in the middle")
      assert.lengthOf(yield* after(openAll), 6_056, "everything can be read meanwhile")
    }
    const dry = yield* admin(env, ["rotate-keys", "--dry-run"])
    assert.match(dry.output, /Key "newer", the newest: \d+ values\.\nKey "older": \d+ values still need it\./)
    const finished = yield* admin(env, ["rotate-keys"])
    assert.match(finished.output, /Key "older": no value needs it any more/)
    assert.lengthOf(yield* Effect.provide(openAll, as(newer)), 6_056)
  }).pipe(onItsOwn), 60_000)
})

describe("texts of earlier versions that are still plain", () => {
  it.live("are sealed once, however many start at the same time, and leave nothing plain behind", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { organization_id, user_id } = yield* newOwner()
    const rows = yield* before(sealedRows("text"))
    for (let index = 0; index < 450; index++) {
      yield* sql`INSERT INTO projects (id, organization_id, name, plain_description, created_by)
        VALUES (${randomUUID()}, ${organization_id}, ${`${index}`}, ${`plain ${index}`}, ${user_id})`
    }
    yield* sql`UPDATE insights SET tags = NULL, plain_tags = ARRAY['a "quoted" tag', 'ü'], fallback_reason = NULL, plain_fallback_reason = 'because'
      WHERE id = ${rows.insight}`
    yield* sql`UPDATE task_queue SET cancel_reason = NULL, plain_cancel_reason = 'enough' WHERE id IN (SELECT id FROM tasks WHERE task_id = ${rows.open})`
    const sealing = before(Effect.flatMap(KeyRotation, ({ sealPlain }) => sealPlain))
    const counts = yield* Effect.all([sealing, sealing, sealing], { concurrency: 3 })
    assert.strictEqual(counts.reduce((all, one) => all + one), 453)
    const opened = yield* before(openAll)
    const texts = opened.map(({ place, text }) => `${place} ${text}`)
    for (let index = 0; index < 450; index++) assert.include(texts, `projects.description plain ${index}`)
    assert.includeMembers(texts, ["insights.tags [\"a \\\"quoted\\\" tag\",\"ü\"]", "insights.fallback_reason because", "task_queue.cancel_reason enough"])
    for (const { into, plain } of plainColumns) {
      assert.lengthOf(yield* sql`SELECT 1 AS one FROM ${sql(into.table)} WHERE ${sql(plain)} IS NOT NULL`, 0)
    }
    assert.strictEqual(yield* sealing, 0)
  }).pipe(onItsOwn))
})

layer(TestDatabase.layer)("the registry of encrypted columns", (it) => {
  it.effect("has every column of the type that the database keeps for them, and no other", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ name: string }>`
      SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE domain_name = 'encrypted_text'`
    assert.sameMembers(rows.map(({ name }) => name), encryptedColumns.map(({ column, table }) => `${table}.${column}`))
  }))

  it.effect("walks each table by its primary key", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    for (const { key, table } of encryptedColumns) {
      const rows = yield* sql<{ name: string; type: string }>`
        SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
        FROM pg_index i JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, position) ON true
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = ${table}::text::regclass AND i.indisprimary ORDER BY k.position`
      assert.deepStrictEqual(rows.map(({ name, type }) => ({ name, type })), key.map(({ name, type }) => ({ name, type })), table)
    }
  }))

  it.effect("is backed by the database, which takes no plain text in those columns", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { user_id } = yield* newOwner()
    for (const plain of ["plain text", "v2:k1:short", "v3:k1:" + "x".repeat(60), "v1:k 1:" + "x".repeat(60)]) {
      const error = yield* Effect.flip(sql`INSERT INTO log_entries (id, user_id, title, description, type, start_time, end_time)
        VALUES (${randomUUID()}, ${user_id}, 't', ${plain}, 'code', now(), now() + interval '1 hour')`)
      assert.strictEqual(error.reason._tag, "ConstraintError", plain)
    }
  }))
})

const adminMain = fileURLToPath(new URL("../../src/admin.ts", import.meta.url))

/** Runs the command to its end, or kills it as soon as its output is as told. */
const admin = (env: Readonly<Record<string, string>>, args: ReadonlyArray<string>, kill: (output: string) => boolean = () => false) =>
  Effect.callback<{ readonly output: string; readonly signal: NodeJS.Signals | null }>((resume) => {
    const child = spawn(process.execPath, [adminMain, ...args], { env: { PATH: process.env["PATH"] ?? "", ...env } })
    let output = ""
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      if (kill(output)) child.kill("SIGKILL")
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.once("close", (_, signal) => resume(Effect.succeed({ output, signal })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
