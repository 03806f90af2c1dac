import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, Schedule } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { EmbeddedPostgres } from "../../src/db/EmbeddedPostgres.ts"
import { dataFolder, eventually, eventuallyTrue, isAlive, postmasterPid, query, startEmbedded } from "../support/EmbeddedProcess.ts"

const pollSchedule = Schedule.spaced("5 millis")

const serverOf = (dataDir: string) =>
  Effect.suspend(() => {
    const pid = postmasterPid(dataDir)
    return pid === undefined ? Effect.die("no server runs") : Effect.succeed(pid)
  })

describe("EmbeddedPostgres", () => {
  layer(NodeFileSystem.layer, { excludeTestServices: true })((it) => {
    it.effect("starts on a loopback port of its own with UTF-8, durable, behind a password", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const url = yield* (yield* startEmbedded(dataDir)).url
        assert.notStrictEqual(new URL(url).port, "5432")
        assert.deepStrictEqual(
          yield* query(url, `SELECT current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
            current_setting('synchronous_commit') AS commit, current_setting('max_connections') AS connections,
            current_setting('listen_addresses') AS address, current_database() AS database, lower('ÇÃO') AS lower`),
          [{ encoding: "UTF8", fsync: "on", commit: "on", connections: "200", address: "127.0.0.1", database: "englog", lower: "ção" }]
        )
        const wrong = new URL(url)
        wrong.password = "wrong"
        assert.strictEqual((yield* Effect.flip(query(wrong.href, "SELECT 1"))).reason._tag, "AuthenticationError")
        assert.strictEqual(fs.statSync(`${dataDir}/postgres/password`).mode & 0o777, 0o600)
        assert.strictEqual(fs.statSync(`${dataDir}/postgres/data`).mode & 0o777, 0o700)
      }))

    it.effect("stops with its only process and has the same data, port and password at the next start", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const first = yield* startEmbedded(dataDir)
        const url = yield* first.url
        yield* query(url, "CREATE TABLE kept AS SELECT 42 AS n")
        const server = yield* serverOf(dataDir)
        yield* first.end("SIGTERM")
        assert.isFalse(isAlive(server))
        const second = yield* startEmbedded(dataDir)
        assert.strictEqual(yield* second.url, url)
        assert.deepStrictEqual(yield* query(url, "SELECT n FROM kept"), [{ n: 42 }])
      }))

    it.effect("takes another port when somebody else has taken the remembered one", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const first = yield* startEmbedded(dataDir)
        const url = yield* first.url
        yield* first.end("SIGTERM")
        const port = new URL(url).port
        const other = spawn(process.execPath, ["-e", `require("net").createServer().listen(${port},"127.0.0.1",()=>console.log("on"))`])
        yield* Effect.addFinalizer(() => Effect.sync(() => other.kill("SIGKILL")))
        yield* Effect.callback<void>((resume) => void other.stdout.once("data", () => resume(Effect.void)))
        const moved = yield* (yield* startEmbedded(dataDir)).url
        assert.notStrictEqual(new URL(moved).port, port)
        assert.deepStrictEqual(yield* query(moved, "SELECT 1 AS one"), [{ one: 1 }])
      }))

    it.effect("is one server for all processes that start on one folder at the same moment", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const all = yield* Effect.replicateEffect(startEmbedded(dataDir), 3)
        const urls = yield* Effect.forEach(all, (one) => one.url, { concurrency: "unbounded" })
        assert.strictEqual(new Set(urls).size, 1)
      }))

    it.effect("goes on undisturbed for a process that has joined when the owner leaves in good order, and stops with the last", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const owner = yield* startEmbedded(dataDir)
        const url = yield* owner.url
        const joiner = yield* startEmbedded(dataDir)
        assert.strictEqual(yield* joiner.url, url)
        const server = yield* serverOf(dataDir)
        yield* owner.end("SIGTERM")
        assert.isTrue(isAlive(server))
        yield* eventuallyTrue(() => joiner.output().includes("takes it over"))
        yield* joiner.end("SIGTERM")
        assert.isFalse(isAlive(server))
      }))

    it.effect("is left alone by a process that has joined and leaves", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const owner = yield* startEmbedded(dataDir)
        const url = yield* owner.url
        const joiner = yield* startEmbedded(dataDir)
        yield* joiner.url
        yield* joiner.end("SIGTERM")
        assert.deepStrictEqual(yield* query(url, "SELECT 1 AS one"), [{ one: 1 }])
      }))

    it.effect("survives kill -9 of its owner and is adopted, running, by the next process", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const owner = yield* startEmbedded(dataDir)
        const url = yield* owner.url
        const server = yield* serverOf(dataDir)
        yield* owner.end("SIGKILL")
        assert.isTrue(isAlive(server))
        const next = yield* startEmbedded(dataDir)
        assert.strictEqual(yield* next.url, url)
        assert.strictEqual(yield* serverOf(dataDir), server)
        yield* next.end("SIGTERM")
        assert.isFalse(isAlive(server))
      }))

    it.effect("is restarted on the same port after kill -9 of the server, with all that was committed", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const url = yield* (yield* startEmbedded(dataDir)).url
        yield* query(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        const server = yield* serverOf(dataDir)
        process.kill(server, "SIGKILL")
        assert.deepStrictEqual(yield* eventually(query(url, "SELECT count(*)::int AS count FROM kept")), [{ count: 1000 }])
        assert.notStrictEqual(yield* serverOf(dataDir), server)
      }))

    it.effect("is restarted by a process that had joined when owner and server are both killed", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const owner = yield* startEmbedded(dataDir)
        const url = yield* owner.url
        const joiner = yield* startEmbedded(dataDir)
        yield* joiner.url
        yield* query(url, "CREATE TABLE kept AS SELECT 42 AS n")
        const server = yield* serverOf(dataDir)
        yield* owner.end("SIGKILL")
        process.kill(server, "SIGKILL")
        yield* eventuallyTrue(() => !isAlive(server))
        assert.deepStrictEqual(yield* eventually(query(url, "SELECT n FROM kept")), [{ n: 42 }])
      }))

    it.effect("starts after kill -9 of everything although its old pid belongs to another process now", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const owner = yield* startEmbedded(dataDir)
        const url = yield* owner.url
        yield* query(url, "CREATE TABLE kept AS SELECT 42 AS n")
        const server = yield* serverOf(dataDir)
        yield* owner.end("SIGKILL")
        process.kill(server, "SIGKILL")
        yield* eventuallyTrue(() => !isAlive(server))
        const pidFile = `${dataDir}/postgres/data/postmaster.pid`
        fs.writeFileSync(pidFile, fs.readFileSync(pidFile, "utf8").replace(/^\d+/, String(process.pid)))
        const next = yield* startEmbedded(dataDir)
        assert.deepStrictEqual(yield* query(yield* next.url, "SELECT n FROM kept"), [{ n: 42 }])
      }))

    it.effect("tells while it is being restarted", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        yield* Effect.gen(function*() {
          const { status, url } = yield* EmbeddedPostgres
          assert.strictEqual(yield* status, "running")
          process.kill(yield* serverOf(dataDir), "SIGKILL")
          yield* status.pipe(Effect.repeat({ until: (now) => now === "restarting", schedule: pollSchedule }))
          yield* status.pipe(Effect.repeat({ until: (now) => now === "running", schedule: pollSchedule }))
          assert.deepStrictEqual(yield* query(Redacted.value(url), "SELECT 1 AS one"), [{ one: 1 }])
        }).pipe(Effect.provide(EmbeddedPostgres.layer({ dataDir })))
        assert.isUndefined(postmasterPid(dataDir))
      }))

    it.effect.skipIf(process.getuid?.() !== 0)("lies where its user can reach it when root's folders hide DATA_DIR", () =>
      Effect.gen(function*() {
        const home = yield* dataFolder
        fs.chmodSync(home, 0o700)
        const dataDir = `${home}/.data`
        const first = yield* startEmbedded(dataDir)
        yield* query(yield* first.url, "CREATE TABLE kept AS SELECT 42 AS n")
        yield* first.end("SIGTERM")
        const elsewhere = fs.readFileSync(`${dataDir}/postgres.location`, "utf8").trim()
        yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(elsewhere, { recursive: true, force: true })))
        assert.isTrue(fs.existsSync(`${elsewhere}/data/PG_VERSION`))
        assert.isFalse(fs.existsSync(`${dataDir}/postgres`))
        const second = yield* startEmbedded(dataDir)
        assert.deepStrictEqual(yield* query(yield* second.url, "SELECT n FROM kept"), [{ n: 42 }])
        yield* second.end("SIGTERM")
      }))

    it.effect("says what to do when the data folder cannot be made", () =>
      Effect.gen(function*() {
        const dataDir = `${yield* dataFolder}/file`
        fs.writeFileSync(dataDir, "")
        const error = yield* Effect.flip(Layer.build(EmbeddedPostgres.layer({ dataDir })))
        assert.strictEqual(error.reason, "Files")
        assert.include(error.message, dataDir)
        assert.include(error.message, "Set DATA_DIR")
      }))

    it.effect("names its log and the log's last lines when the server does not start", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const settings = { shared_buffers: "nonsense" }
        const error = yield* Effect.flip(Layer.build(EmbeddedPostgres.layer({ dataDir, settings })))
        assert.strictEqual(error.reason, "Start")
        assert.include(error.message, `${dataDir}/postgres/postgres.log`)
        assert.include(error.message, "shared_buffers")
        assert.include(error.message, "DATABASE_URL")
      }))

    it.effect("refuses data of another PostgreSQL release instead of touching it", () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        fs.mkdirSync(`${dataDir}/postgres/data`, { recursive: true })
        fs.writeFileSync(`${dataDir}/postgres/data/PG_VERSION`, "15\n")
        const error = yield* Effect.flip(Layer.build(EmbeddedPostgres.layer({ dataDir })))
        assert.match(error.message, /made by PostgreSQL 15; this version brings PostgreSQL 18.*pg_dump/)
      }))
  })
})
