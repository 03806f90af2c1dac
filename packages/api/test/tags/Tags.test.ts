import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { TestApi } from "../http/TestApi.ts"
import { each, type Member, member } from "../support/Members.ts"

const tagOf = (who: Member, name: string) =>
  Effect.map(who.get("/v1/tags?limit=200"), (answer) => String(answer.at("items", each(answer, "name").indexOf(name), "id")))
const tagsOf = (who: Member, entry: string) => Effect.map(who.get(`/v1/logs/${entry}`), (answer) => answer.at("tags"))
const tagged = (who: Member, ...tags: ReadonlyArray<string>) => who.at("2026-01-05T09:00:00Z", 30, { tags })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("tags", (it) => {
  it.effect("are the predefined ones of the seed and one's own, by name, with their uses", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("tags@example.com"), yield* member("tags-eve@example.com")]
    yield* tagged(ada, "security", "mine")
    yield* tagged(eve, "security", "hers")
    const all = yield* ada.get("/v1/tags?limit=200")
    assert.lengthOf(each(all, "name"), 23)
    const index = each(all, "name").indexOf("security")
    assert.deepInclude(all.at("items", index), { category: "activity-focus", predefined: true, usage_count: 1 })
    assert.deepStrictEqual(each(yield* ada.get("/v1/tags?predefined=false"), "name"), ["mine"])
    assert.deepStrictEqual(each(yield* ada.get("/v1/tags?category=priority"), "name"), ["p0-critical", "p1-high", "p2-medium", "p3-low"])
    const pages: Array<unknown> = []
    let cursor: unknown = ""
    while (cursor !== null) {
      const page = yield* ada.get(`/v1/tags?limit=7${cursor === "" ? "" : `&cursor=${String(cursor)}`}`)
      pages.push(...each(page, "name"))
      cursor = page.at("next_cursor")
    }
    assert.deepStrictEqual(pages, each(all, "name"))
    for (const wrong of ["x", "A", "AA"]) {
      assert.strictEqual((yield* ada.get(`/v1/tags?cursor=${wrong}`)).error, "cursor: is not a next_cursor of an earlier page")
    }
  }))

  it.effect("are created normalized, once, and never with the name of a predefined one", () => Effect.gen(function*() {
    const ada = yield* member("create-tags@example.com")
    const created = yield* ada.post("/v1/tags", { name: " Kubernetes ", category: " Technology", color: "#326CE5" })
    assert.strictEqual(created.status, 201)
    assert.deepInclude(created.body, { name: "kubernetes", category: "technology", color: "#326ce5", predefined: false, usage_count: 0 })
    assert.deepStrictEqual((yield* ada.get(created.headers["location"] ?? "")).body, created.body)
    const again = yield* ada.post("/v1/tags", { name: "KUBERNETES" })
    assert.deepStrictEqual([again.status, again.error], [409, "name: you have a tag \"kubernetes\" already"])
    const predefined = yield* ada.post("/v1/tags", { name: "security" })
    assert.deepStrictEqual([predefined.status, predefined.error], [409, "name: \"security\" is a predefined tag: use it as it is, or merge yours into it"])
    for (const name of ["", "  ", "x".repeat(51)]) assert.strictEqual((yield* ada.post("/v1/tags", { name })).status, 400)
  }))

  it.effect("of others do not exist, and predefined ones are nobody's to change", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("own-tags@example.com"), yield* member("own-tags-eve@example.com")]
    const mine = yield* ada.made("/v1/tags", { name: "mine" })
    const shared = yield* tagOf(eve, "security")
    const attempts = (id: string) => [
      eve.put(`/v1/tags/${id}`, { name: "hers" }), eve.remove(`/v1/tags/${id}`), eve.post(`/v1/tags/${id}/merge`, { into: shared })
    ]
    for (const { error, status } of yield* Effect.all(attempts(mine))) assert.deepStrictEqual([status, error], [404, `you have no tag ${mine}`])
    assert.strictEqual((yield* eve.get(`/v1/tags/${mine}`)).status, 404)
    for (const { error, status } of yield* Effect.all(attempts(shared))) {
      assert.deepStrictEqual([status, error], [403, "\"security\" is predefined: everybody shares it, so nobody may change, merge or delete it"])
    }
    const hers = yield* eve.made("/v1/tags", { name: "hers" })
    assert.strictEqual((yield* eve.post(`/v1/tags/${hers}/merge`, { into: mine })).error, `into: you have no tag ${mine}`)
    assert.strictEqual((yield* eve.post(`/v1/tags/${hers}/merge`, { into: hers })).error, "into: is the same tag")
    assert.strictEqual((yield* ada.get(`/v1/tags/${mine}`)).status, 200)
  }))

  it.effect("keep their entries when they are renamed", () => Effect.gen(function*() {
    const ada = yield* member("rename@example.com")
    const entry = yield* tagged(ada, "z", "old", "a")
    const old = yield* tagOf(ada, "old")
    const renamed = yield* ada.put(`/v1/tags/${old}`, { name: "New" })
    assert.deepInclude(renamed.body, { id: old, name: "new", usage_count: 1 })
    assert.deepStrictEqual(yield* tagsOf(ada, entry), ["z", "new", "a"])
    const taken = yield* ada.put(`/v1/tags/${old}`, { name: "z" })
    assert.deepStrictEqual([taken.status, taken.error], [409, "name: you have a tag \"z\" already"])
    assert.strictEqual((yield* ada.put(`/v1/tags/${old}`, { name: "testing" })).status, 409)
    assert.strictEqual((yield* ada.put(`/v1/tags/${old}`, { name: "new", color: "#abcdef" })).at("color"), "#abcdef")
  }))

  it.effect("are merged so that entries keep one of the two, where the first of them stood", () => Effect.gen(function*() {
    const ada = yield* member("merge@example.com")
    const [one, two, three] = [yield* tagged(ada, "x", "front-end", "y", "frontend", "z"), yield* tagged(ada, "frontend", "x", "front-end"), yield* tagged(ada, "y", "front-end")]
    const [from, into] = [yield* tagOf(ada, "front-end"), yield* tagOf(ada, "frontend")]
    const merged = yield* ada.post(`/v1/tags/${from}/merge`, { into })
    assert.deepInclude(merged.body, { id: into, name: "frontend", usage_count: 3 })
    assert.deepStrictEqual(yield* tagsOf(ada, one), ["x", "frontend", "y", "z"])
    assert.deepStrictEqual(yield* tagsOf(ada, two), ["frontend", "x"])
    assert.deepStrictEqual(yield* tagsOf(ada, three), ["y", "frontend"])
    assert.strictEqual((yield* ada.get(`/v1/tags/${from}`)).status, 404)
    const security = yield* tagOf(ada, "security")
    assert.strictEqual((yield* ada.post(`/v1/tags/${into}/merge`, { into: security })).at("usage_count"), 3)
    assert.deepStrictEqual(yield* tagsOf(ada, one), ["x", "security", "y", "z"])
  }))

  it.effect("leave their entries when they are deleted", () => Effect.gen(function*() {
    const ada = yield* member("delete-tags@example.com")
    const entry = yield* tagged(ada, "a", "b", "c")
    const path = `/v1/tags/${yield* tagOf(ada, "b")}`
    assert.strictEqual((yield* ada.remove(path)).status, 204)
    assert.deepStrictEqual(yield* tagsOf(ada, entry), ["a", "c"])
    assert.strictEqual((yield* ada.remove(path)).status, 404)
  }))

  it.effect("survive being merged while entries are written with them", () => Effect.gen(function*() {
    const ada = yield* member("merge-race@example.com")
    const into = yield* ada.made("/v1/tags", { name: "kept" })
    for (let round = 0; round < 8; round++) {
      const from = yield* ada.made("/v1/tags", { name: "merged" })
      const [, ...entries] = yield* Effect.all(
        [ada.post(`/v1/tags/${from}/merge`, { into }), ...Array.from({ length: 6 }, () => tagged(ada, "merged", "other"))],
        { concurrency: "unbounded" }
      )
      for (const entry of entries) assert.include([["merged", "other"].join(), ["kept", "other"].join()], String(yield* tagsOf(ada, String(entry))))
      const remains = yield* ada.get("/v1/tags?predefined=false")
      const index = each(remains, "name").indexOf("merged")
      if (index >= 0) yield* ada.remove(`/v1/tags/${String(remains.at("items", index, "id"))}`)
    }
  }))

  it.effect("are popular by the number of one's entries, within local days", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("popular@example.com", { timezone: "America/New_York" }), yield* member("popular-eve@example.com")]
    yield* ada.at("2026-03-09T03:59:00Z", 30, { tags: ["b", "security"] })
    yield* ada.at("2026-03-09T04:00:00Z", 30, { tags: ["b", "a"] })
    yield* tagged(eve, "hers")
    const popular = yield* ada.get("/v1/tags/popular")
    assert.deepStrictEqual(each(popular, "name"), ["b", "a", "security"])
    assert.deepStrictEqual(each(popular, "usage_count"), [2, 1, 1])
    assert.strictEqual(popular.at("next_cursor"), null)
    assert.deepStrictEqual(each(yield* ada.get("/v1/tags/popular?limit=1"), "name"), ["b"])
    assert.deepStrictEqual(each(yield* ada.get("/v1/tags/popular?end_date=2026-03-08"), "name"), ["b", "security"])
    assert.deepStrictEqual(each(yield* ada.get("/v1/tags/popular?start_date=2026-03-09"), "name"), ["a", "b"])
    assert.strictEqual((yield* ada.get(`/v1/tags/${randomUUID()}`)).status, 404)
  }))
})
