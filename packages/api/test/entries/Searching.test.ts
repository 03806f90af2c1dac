/** Lists of entries: filters, words, orders. */
import { assert, layer } from "@effect/vitest"
import { DateTime, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { EntryWordIndex } from "../../src/entries/EntryWordIndex.ts"
import { wordDigests } from "../../src/entries/EntryWords.ts"
import { encryptionKeys, TestApi } from "../http/TestApi.ts"
import { each, engineer, pages, titles } from "../support/Engineer.ts"

const search = (q: string) => `/v1/logs?q=${encodeURIComponent(q)}`

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("lists of entries", (it) => {
  it.effect("hold what all filters say together", () => Effect.gen(function*() {
    const ada = yield* engineer("together@example.com", { timezone: "Europe/Berlin" })
    const project_id = yield* ada.project("P")
    const wanted = {
      title: "wanted", description: "the needle", project_id, type: "debug", tags: ["a", "b", "c"], value_rating: "high", impact_level: "company",
      start_time: "2026-01-05T09:00:00Z", end_time: "2026-01-05T10:00:00Z"
    }
    yield* ada.record(wanted)
    const others = [
      { description: "hay" }, { project_id: null }, { type: "code" }, { tags: ["a", "c"] }, { value_rating: "low" }, { impact_level: "team" },
      { start_time: "2026-01-04T09:00:00Z" }, { start_time: "2026-01-05T23:30:00Z", end_time: "2026-01-06T01:00:00Z" }
    ]
    for (const other of others) yield* ada.record({ ...wanted, title: "other", ...other })
    const path = `/v1/logs?start_date=2026-01-05&end_date=2026-01-05&project_id=${project_id}&type=debug&tags=B,%20a&value_rating=high`
      + "&impact_level=company&q=needle&running=false&sort=duration&order=asc&limit=10"
    assert.deepStrictEqual(titles(yield* ada.get(path)), ["wanted"])
    assert.lengthOf(titles(yield* ada.get("/v1/logs")), 1 + others.length)
    assert.lengthOf(titles(yield* ada.get("/v1/logs?tags=a,c")), 1 + others.length, "all of the tags, in any order")
    assert.lengthOf(titles(yield* ada.get("/v1/logs?tags=a,b")), others.length)
  }))

  it.effect("say what is wrong with a filter", () => Effect.gen(function*() {
    const ada = yield* engineer("wrong@example.com")
    const error = (query: string) => Effect.map(ada.get(`/v1/logs?${query}`), ({ error, status }) => `${status} ${error}`)
    assert.strictEqual(yield* error("value_rating=huge"), "400 value_rating: must be one of low, medium, high")
    assert.strictEqual(yield* error("tags=,%20,"), "400 tags: must name a tag")
    assert.strictEqual(yield* error("q=---"), "400 q: must hold a letter or a digit")
    assert.strictEqual(yield* error("q=%00"), "400 q: must not contain the NUL character")
    assert.strictEqual(yield* error("sort=title"), "400 sort: must be one of start_time, created_at, updated_at, duration")
    assert.strictEqual(yield* error("start_date=9999-12-31"), "400 start_date: must lie between the years 1900 and 2199")
    assert.strictEqual(yield* error("tag=a"), "400 unknown query parameter \"tag\"")
  }))

  it.effect("find words of titles and descriptions, whatever their case and accents, and no parts of words", () => Effect.gen(function*() {
    const ada = yield* engineer("words@example.com")
    yield* ada.record({ title: "Login race", description: "Corrigi a reunião; two refreshes" })
    yield* ada.record({ title: "東京都の設計", description: null })
    for (const q of ["login", "LOGIN reuniao", "refreshes, race!", "東京", "設計"]) assert.lengthOf(titles(yield* ada.get(search(q))), 1, q)
    for (const q of ["log", "login 設計", "absent", "refresh", "login absent"]) assert.lengthOf(titles(yield* ada.get(search(q))), 0, q)
  }))

  it.effect("find what an entry says now, not what it said before", () => Effect.gen(function*() {
    const ada = yield* engineer("now@example.com")
    const path = yield* ada.record({ title: "before", description: "first" })
    const entry = (yield* ada.get(path)).body
    yield* ada.put(path, { ...Object(entry), title: "after", description: "second" })
    const found = yield* Effect.forEach(["before", "first", "after", "second"], (q) => Effect.map(ada.get(search(q)), (page) => titles(page).length))
    assert.deepStrictEqual(found, [0, 0, 1, 1])
  }))

  it.effect("find nobody else's words", () => Effect.gen(function*() {
    const [ada, eve] = [yield* engineer("mine@example.com"), yield* engineer("theirs@example.com")]
    yield* ada.record({ title: "t", description: "secretword" })
    assert.lengthOf(titles(yield* ada.get(search("secretword"))), 1)
    assert.lengthOf(titles(yield* eve.get(search("secretword"))), 0)
  }))

  it.effect("rest on digests that tell neither words, nor that two users or a title and a description share one", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* engineer("digest1@example.com"), yield* engineer("digest2@example.com")]
    yield* ada.record({ title: "shared", description: "shared" })
    yield* ada.record({ title: "shared", description: null })
    yield* eve.record({ title: "shared", description: null })
    const rows = yield* sql<{ user_id: string; digests: ReadonlyArray<string> }>`
      SELECT user_id::text AS user_id, word_digests::text[] AS digests FROM log_entries WHERE user_id IN ${sql.in([ada.id, eve.id])}
      ORDER BY user_id = ${eve.id}::uuid, cardinality(word_digests) DESC`
    const [both = [], title = [], hers = []] = rows.map(({ digests }) => digests)
    assert.deepStrictEqual([both.length, title.length, hers.length], [2, 1, 1])
    assert.includeMembers([...both], [...title])
    assert.notIncludeMembers([...both], [...hers])
  }))

  it.effect("find under older keys too, and under the newest alone once the words are made anew", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* engineer("rotated@example.com")
    const path = yield* ada.record({ title: "rotation", description: "kept words" })
    const id = path.split("/").at(-1) ?? ""
    // As another server wrote it that has another newest key, and as a version before there were words.
    const newer = FieldCipher.layer(Redacted.make(`k2:${Buffer.alloc(32, 9).toString("base64")},${Redacted.value(encryptionKeys)}`))
    const renew = Effect.flatMap(EntryWordIndex, (index) => index.renew)
    const withBoth = Effect.provide(renew, Layer.fresh(Layer.provideMerge(EntryWordIndex.layer, newer)))
    yield* sql`UPDATE log_entries SET word_digests = '{}', words_key = NULL WHERE id = ${id}`
    assert.lengthOf(titles(yield* ada.get(search("kept"))), 0)
    assert.isAtLeast((yield* Effect.provide(renew, EntryWordIndex.layer)).renewed, 1)
    assert.deepStrictEqual(yield* Effect.provide(renew, EntryWordIndex.layer), { renewed: 0, unreadable: 0 })
    assert.lengthOf(titles(yield* ada.get(search("kept"))), 1)
    const { renewed } = yield* withBoth
    assert.isAtLeast(renewed, 1)
    const ofNewest = yield* Effect.provide(Effect.map(FieldCipher, (cipher) => wordDigests(cipher, ada.id, { title: "rotation", description: "kept words" })), newer)
    const stored = yield* sql`SELECT word_digests::text[] AS digests, words_key FROM log_entries WHERE id = ${id}`
    assert.deepStrictEqual(stored, [{ digests: [...ofNewest], words_key: "k2" }])
    yield* Effect.provide(renew, EntryWordIndex.layer)
  }))

  it.effect("go page by page in every order, none twice and none left out, though many are equal and some change meanwhile", () => Effect.gen(function*() {
    const ada = yield* engineer("orders@example.com")
    const day = (index: number) => `2026-01-${String(10 + index % 3)}`
    const created = yield* ada.bulk(Array.from({ length: 23 }, (_, index) => ({
      action: "create",
      entry: {
        title: `entry ${index}`, type: "code", start_time: `${day(index)}T09:00:00Z`,
        end_time: index % 5 === 0 ? null : `${day(index)}T${index % 2 === 0 ? 10 : 11}:00:00Z`
      }
    })))
    assert.strictEqual(created.at("succeeded"), 23)
    const late = yield* ada.record({ title: "late", start_time: "2025-01-01T00:00:00Z", end_time: "2025-01-01T00:01:00Z" })
    for (const sort of ["start_time", "created_at", "updated_at", "duration"] as const) {
      for (const order of ["asc", "desc"] as const) {
        const field = sort === "duration" ? "duration_minutes" : sort
        // Nothing that is written meanwhile moves an entry that did not change.
        const touched = ada.post("/v1/logs", { title: "meanwhile", type: "code", start_time: "2026-01-11T09:00:00Z", end_time: "2026-01-11T10:00:00Z" })
        const read = yield* pages(ada.get, `/v1/logs?limit=5&sort=${sort}&order=${order}`, touched)
        const ids = read.flatMap((page) => each(page, "id"))
        const keys = read.flatMap((page) => each(page, field)).map((key) => key === null ? -1 : typeof key === "number" ? key : Date.parse(String(key)))
        assert.strictEqual(new Set(ids).size, ids.length, `${sort} ${order}`)
        assert.includeMembers(ids, [...each(created, "entry", "id"), late.split("/").at(-1)], `${sort} ${order}`)
        const inOrder = keys.toSorted((a, b) => order === "asc" ? a - b : b - a)
        assert.deepStrictEqual(keys, inOrder, `${sort} ${order}`)
      }
    }
  }))

  it.effect("refuse a cursor of another order", () => Effect.gen(function*() {
    const ada = yield* engineer("othercursor@example.com")
    for (let index = 0; index < 3; index++) yield* ada.record()
    const first = yield* ada.get("/v1/logs?limit=1&sort=duration")
    const plain = yield* ada.get("/v1/logs?limit=1")
    const message = "cursor: is not a next_cursor of a page in this order"
    assert.strictEqual((yield* ada.get(`/v1/logs?limit=1&cursor=${String(first.at("next_cursor"))}`)).error, message)
    assert.strictEqual((yield* ada.get(`/v1/logs?limit=1&sort=duration&cursor=${String(plain.at("next_cursor"))}`)).error, message)
    assert.strictEqual((yield* ada.get(`/v1/logs?limit=1&sort=duration&order=asc&cursor=${String(first.at("next_cursor"))}`)).error, message)
    const huge = Buffer.from(`9999999999999999.${ada.id}`).toString("base64url")
    assert.strictEqual((yield* ada.get(`/v1/logs?sort=duration&cursor=duration.desc.${huge}`)).status, 200)
  }))

  it.effect("are of local days on the days when clocks change", () => Effect.gen(function*() {
    const ada = yield* engineer("clocks@example.com", { timezone: "Europe/Berlin" })
    const at = (title: string, start: string) =>
      ada.record({ title, start_time: start, end_time: DateTime.formatIso(DateTime.add(DateTime.makeUnsafe(start), { minutes: 1 })) })
    yield* at("last of 24", "2026-10-24T21:59:59Z")
    yield* at("first of 25", "2026-10-24T22:00:00Z")
    yield* at("last of 25, of 25 hours", "2026-10-25T22:59:59Z")
    yield* at("first of 26", "2026-10-25T23:00:00Z")
    const day = yield* ada.get("/v1/logs?start_date=2026-10-25&end_date=2026-10-25&order=asc")
    assert.deepStrictEqual(titles(day), ["first of 25", "last of 25, of 25 hours"])
  }))
})
