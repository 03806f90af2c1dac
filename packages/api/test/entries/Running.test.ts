/** Entries that run, and entity tags. */
import { assert, layer } from "@effect/vitest"
import { EntryId, UserId } from "@englog/domain/Ids"
import { DateTime, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { EntryRepo } from "../../src/entries/EntryRepo.ts"
import { entry, TestApi } from "../http/TestApi.ts"
import { engineer, titles } from "../support/Engineer.ts"

const start = { title: "Pairing", type: "mentoring" }

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("a running entry", (it) => {
  it.effect("begins now, has no end and no duration, and ends when it is stopped", () => Effect.gen(function*() {
    const ada = yield* engineer("timer@example.com")
    const before = DateTime.toEpochMillis(yield* DateTime.now)
    const started = yield* ada.post("/v1/logs/start", { ...start, tags: ["Pair"], description: "with Grace" })
    assert.deepStrictEqual([started.status, started.at("end_time"), started.at("duration_minutes")], [201, null, null])
    assert.isAtLeast(Date.parse(String(started.at("start_time"))), before)
    const path = started.headers["location"] ?? ""
    const stopped = yield* ada.post(`${path}/stop`)
    assert.strictEqual(stopped.status, 200)
    assert.isAbove(Date.parse(String(stopped.at("end_time"))), Date.parse(String(stopped.at("start_time"))))
    assert.deepStrictEqual([stopped.at("duration_minutes"), stopped.at("tags"), stopped.at("description")], [0, ["pair"], "with Grace"])
    assert.strictEqual((yield* ada.put(path, stopped.body)).status, 200, "it can be written back")
    const again = yield* ada.post(`${path}/stop`)
    assert.strictEqual(again.status, 409)
    assert.match(again.error, /is not running: it ended at/)
  }))

  it.effect("runs beside others", () => Effect.gen(function*() {
    const ada = yield* engineer("several@example.com")
    for (const title of ["one", "two"]) yield* ada.post("/v1/logs/start", { ...start, title })
    yield* ada.record({ title: "ended" })
    assert.sameMembers([...titles(yield* ada.get("/v1/logs?running=true"))], ["one", "two"])
    assert.deepStrictEqual(titles(yield* ada.get("/v1/logs?running=false")), ["ended"])
  }))

  it.effect("can be written as it was read, be ended at another time, and run again", () => Effect.gen(function*() {
    const ada = yield* engineer("edited@example.com")
    const started = yield* ada.post("/v1/logs/start", start)
    const path = started.headers["location"] ?? ""
    assert.strictEqual((yield* ada.put(path, started.body)).at("end_time"), null)
    const ended = yield* ada.put(path, { ...start, start_time: "2026-01-05T09:00:00Z", end_time: "2026-01-05T10:00:00Z" })
    assert.strictEqual(ended.at("duration_minutes"), 60)
    assert.strictEqual((yield* ada.put(path, { ...Object(ended.body), end_time: null })).at("duration_minutes"), null)
    const tooLong = yield* ada.put(path, { ...start, start_time: "2024-01-05T09:00:00Z", end_time: null })
    assert.strictEqual(tooLong.status, 200)
    const refused = yield* ada.post(`${path}/stop`)
    assert.strictEqual(refused.status, 409)
    assert.match(refused.error, /more than 366 days: write its end_time$/)
    const future = yield* ada.put(path, { ...start, start_time: "2190-01-05T09:00:00Z", end_time: null })
    assert.strictEqual(future.error, "start_time: must not lie in the future while end_time is null: a running entry has begun")
  }))

  it.effect("is nobody else's to stop", () => Effect.gen(function*() {
    const [ada, eve] = [yield* engineer("stop1@example.com"), yield* engineer("stop2@example.com")]
    const path = (yield* ada.post("/v1/logs/start", start)).headers["location"] ?? ""
    assert.strictEqual((yield* eve.post(`${path}/stop`)).status, 404)
    assert.strictEqual((yield* ada.get(path)).at("end_time"), null)
  }))

  it.effect("counts in no facts: they are of entries that have ended", () => Effect.gen(function*() {
    const repo = yield* EntryRepo
    const ada = yield* engineer("facts@example.com")
    const owner = UserId.make(ada.id)
    const running = EntryId.make(String((yield* ada.post("/v1/logs/start", start)).at("id")))
    const [from, to] = [DateTime.subtract(yield* DateTime.now, { days: 1 }), DateTime.add(yield* DateTime.now, { days: 1 })]
    assert.deepStrictEqual(yield* repo.findOwned(owner, [running]), [])
    assert.deepStrictEqual(yield* repo.findInPeriod(owner, from, to), [])
    assert.strictEqual(yield* repo.countInPeriod(owner, from, to), 0)
    assert.deepStrictEqual(yield* repo.findMissing(owner, [running]), [])
    yield* ada.post(`/v1/logs/${running}/stop`)
    assert.strictEqual(yield* repo.countInPeriod(owner, from, to), 1)
    assert.lengthOf(yield* repo.findOwned(owner, [running]), 1)
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("the tag of an entry", (it) => {
  it.effect("stays while the entry does, and says when there is nothing new", () => Effect.gen(function*() {
    const ada = yield* engineer("etag@example.com")
    const created = yield* ada.post("/v1/logs", { ...entry, tags: ["a"] })
    const path = created.headers["location"] ?? ""
    const tag = created.headers["etag"] ?? ""
    assert.strictEqual(tag, `"${created.at("etag")}"`)
    assert.strictEqual((yield* ada.get(path)).headers["etag"], tag)
    for (const header of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const unchanged = yield* ada.get(path, { "if-none-match": header })
      assert.deepStrictEqual([unchanged.status, unchanged.text, unchanged.headers["etag"]], [304, "", tag], header)
    }
    assert.strictEqual((yield* ada.get(path, { "if-none-match": "\"other\"" })).status, 200)
    const changed = yield* ada.put(path, { ...Object(created.body), tags: ["b"] })
    assert.notStrictEqual(changed.headers["etag"], tag)
    assert.strictEqual((yield* ada.get(path, { "if-none-match": tag })).status, 200)
  }))

  it.effect("keeps a change from what the caller has not seen", () => Effect.gen(function*() {
    const ada = yield* engineer("lost@example.com")
    const created = yield* ada.post("/v1/logs", entry)
    const path = created.headers["location"] ?? ""
    const old = created.headers["etag"] ?? ""
    const changed = yield* ada.put(path, { ...entry, title: "first" }, { "if-match": old })
    assert.strictEqual(changed.status, 200)
    for (const header of [old, `W/${changed.headers["etag"]}`]) {
      const late = yield* ada.put(path, { ...entry, title: "second" }, { "if-match": header })
      assert.deepStrictEqual([late.status, late.error], [412, "if-match: the entry has changed since; read it again"])
      assert.strictEqual((yield* ada.remove(path, { "if-match": header })).status, 412)
    }
    assert.strictEqual((yield* ada.get(path)).at("title"), "first")
    assert.strictEqual((yield* ada.put(path, entry, { "if-match": "unquoted" })).error, "if-match: must be * or entity tags in double quotes")
    assert.strictEqual((yield* ada.put(path, { ...entry, title: "third" }, { "if-match": "*" })).status, 200)
    const now = (yield* ada.get(path)).headers["etag"] ?? ""
    assert.strictEqual((yield* ada.remove(path, { "if-match": `"x", ${now}` })).status, 204)
    assert.strictEqual((yield* ada.put(path, entry, { "if-match": "*" })).status, 404)
  }))

  it.effect("lets one of many who change the same entry at once through", () => Effect.gen(function*() {
    const ada = yield* engineer("race@example.com")
    const created = yield* ada.post("/v1/logs", entry)
    const path = created.headers["location"] ?? ""
    const answers = yield* Effect.all(
      Array.from({ length: 20 }, (_, index) => ada.put(path, { ...entry, title: `try ${index}` }, { "if-match": created.headers["etag"] ?? "" })),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, ...Array<number>(19).fill(412)])
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("entries of any text", (it) => {
  const naughty = [
    "undefined", "null", "NaN", "1/0", "'; DROP TABLE log_entries; --", "\" OR \"\"=\"", "<script>alert(1)</script>", "${{7*7}}", "%s%x%n", "../../etc/passwd",
    "Ω≈ç√∫˜µ≤≥÷", "田中さんにあげて下さい", "الكل في المجمو عة", "̡͓̞ͅI̗̘̦͝n͇͇͙v̮̫ok̲̫̙͈", "👩‍👩‍👧‍👦🏳️‍🌈", "\u202Etest\u202E", "\u200B\uFEFFx", "\u0001\u0002x", "ÅÍÎÏ˝ÓÔÒÚÆ☃",
    "=1+1", "\\x00", "test\u2028x", "ﷺ", "🇺🇸🇷🇺", "＂ｆｕｌｌ＂", "-1E+02"
  ]

  it.effect("keep it as it is, and find it by its words", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* engineer("naughty@example.com")
    const made = yield* ada.bulk(naughty.map((text) => ({ action: "create", entry: { ...entry, title: `x${text}`, description: text } })))
    assert.strictEqual(made.at("succeeded"), naughty.length, made.text)
    for (const [index, text] of naughty.entries()) {
      const read = yield* ada.get(`/v1/logs/${String(made.at("items", index, "entry", "id"))}`)
      assert.deepStrictEqual([read.at("title"), read.at("description")], [`x${text}`, text])
      const found = yield* ada.get(`/v1/logs?q=${encodeURIComponent(text)}`)
      assert.include([200, 400], found.status, text)
      if (found.status === 200) assert.include([...titles(found)], `x${text}`, text)
    }
    const nul = yield* ada.post("/v1/logs", { ...entry, title: "a\u0000b" })
    assert.deepStrictEqual([nul.status, nul.error], [400, "title: must not contain the NUL character"])
    assert.lengthOf(yield* sql`SELECT 1 FROM log_entries WHERE user_id = ${ada.id}`, naughty.length)
  }))

  it.effect("overlap as they like, and last for thirty days", () => Effect.gen(function*() {
    const ada = yield* engineer("overlap@example.com")
    const long = yield* ada.post("/v1/logs", { ...entry, end_time: "2026-02-04T09:00:00Z" })
    assert.deepStrictEqual([long.status, long.at("duration_minutes")], [201, 30 * 24 * 60])
    assert.strictEqual((yield* ada.post("/v1/logs", entry)).status, 201)
    for (
      const [body, error] of [
        [{ end_time: "9999-12-31T00:00:00Z" }, "end_time: must lie between the years 1900 and 2199"],
        [{ end_time: "2026-01-05T08:00:00Z" }, "end_time: must be after start_time"],
        [{ start_time: "2026-01-05T09:00:00 Europe/Atlantis" }, "start_time: must be an RFC 3339 time with its zone, such as 2026-01-31T09:00:00Z"],
        [{ project_id: randomUUID().toUpperCase() }, undefined]
      ] as const
    ) {
      const answer = yield* ada.post("/v1/logs", { ...entry, ...body })
      assert.strictEqual(answer.status, 400)
      if (error !== undefined) assert.include(answer.error, error)
    }
    const nowhere = yield* (yield* TestApi).ask("POST", "/v1/auth/register", {
      body: { email: "nowhere@example.com", password: "correct horse battery", first_name: "A", last_name: "B", timezone: "Europe/Atlantis" }
    })
    assert.strictEqual(nowhere.status, 400)
    assert.match(nowhere.error, /^timezone: /)
  }))
})
