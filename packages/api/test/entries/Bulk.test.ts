import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { entry, TestApi } from "../http/TestApi.ts"
import { each, engineer, titles } from "../support/Engineer.ts"

const create = (more: Record<string, unknown> = {}) => ({ action: "create", entry: { ...entry, ...more } })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("many changes in one request", (it) => {
  it.effect("are each answered as a request of its own would be", () => Effect.gen(function*() {
    const [ada, eve] = [yield* engineer("bulk@example.com"), yield* engineer("bulk2@example.com")]
    const project_id = yield* ada.project("P")
    const [changed = "", removed = "", stale = ""] = yield* Effect.forEach(["changed", "removed", "stale"], (title) =>
      Effect.map(ada.record({ title }), (path) => path.split("/").at(-1) ?? ""))
    const foreign = (yield* eve.record()).split("/").at(-1) ?? ""
    const etag = (yield* ada.get(`/v1/logs/${changed}`)).at("etag")
    const answer = yield* ada.bulk([
      create({ title: "  new  ", tags: ["B", "a"], project_id, description: "said" }),
      { action: "update", id: changed, entry: { ...entry, title: "new title", tags: ["c"] }, if_match: etag },
      { action: "delete", id: removed },
      create({ title: "" }),
      create({ project_id: randomUUID() }),
      { action: "update", id: foreign, entry },
      { action: "delete", id: stale, if_match: "old" },
      { action: "delete", id: changed },
      { action: "rename", id: changed },
      { ...create(), note: 1 },
      7
    ])
    assert.strictEqual(answer.status, 200)
    assert.deepStrictEqual(each(answer, "status"), [201, 200, 204, 400, 400, 404, 412, 400, 400, 400, 400])
    assert.deepStrictEqual(each(answer, "index"), Array.from({ length: 11 }, (_, index) => index))
    assert.deepStrictEqual([answer.at("succeeded"), answer.at("failed"), answer.at("failed_index")], [3, 8, null])
    assert.strictEqual(answer.at("items", 3, "error"), "entry.title: must not be empty")
    assert.strictEqual(answer.at("items", 5, "error"), `you have no entry ${foreign}`)
    assert.strictEqual(answer.at("items", 7, "error"), "id: operation 1 already changes this entry")
    assert.strictEqual(answer.at("items", 9, "error"), "unknown field \"note\"")
    const made = answer.at("items", 0, "entry")
    assert.deepStrictEqual((yield* ada.get(`/v1/logs/${String(answer.at("items", 0, "entry", "id"))}`)).body, made)
    assert.deepStrictEqual([answer.at("items", 0, "entry", "tags"), answer.at("items", 0, "entry", "title")], [["b", "a"], "new"])
    assert.strictEqual(answer.at("items", 0, "entry", "project_name"), "P")
    assert.sameMembers([...titles(yield* ada.get("/v1/logs"))], ["new", "new title", "stale"])
    assert.lengthOf(titles(yield* eve.get("/v1/logs")), 1)
  }))

  it.effect("are done all or none where that is asked for, and it is said because of which", () => Effect.gen(function*() {
    const ada = yield* engineer("atomic@example.com")
    const kept = yield* ada.record({ title: "kept" })
    const refused = yield* ada.bulk(
      [create({ title: "one" }), { action: "delete", id: kept.split("/").at(-1) }, create({ end_time: "x" }), create({ title: "two" })],
      { atomic: true }
    )
    assert.deepStrictEqual([refused.status, refused.at("failed_index"), refused.at("succeeded")], [200, 2, 0])
    assert.deepStrictEqual(each(refused, "status"), [424, 424, 400, 424])
    assert.strictEqual(refused.at("items", 0, "error"), "not done, because operation 2 was refused")
    assert.deepStrictEqual(titles(yield* ada.get("/v1/logs")), ["kept"])
    const done = yield* ada.bulk([create({ title: "one" }), { action: "delete", id: kept.split("/").at(-1) }], { atomic: true })
    assert.deepStrictEqual(each(done, "status"), [201, 204])
    assert.deepStrictEqual(titles(yield* ada.get("/v1/logs")), ["one"])
  }))

  it.effect("are refused one by one where only the database can tell", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* engineer("savepoint@example.com")
    // Stands for what somebody else changes between the look and the write.
    yield* sql`ALTER TABLE log_entries ADD CONSTRAINT of_the_test CHECK (title <> 'refused by the database')`
    const operations = [create({ title: "one", tags: ["x"] }), create({ title: "refused by the database" }), create({ title: "two" })]
    const some = yield* ada.bulk(operations)
    assert.deepStrictEqual(each(some, "status"), [201, 409, 201])
    assert.sameMembers([...titles(yield* ada.get("/v1/logs"))], ["one", "two"])
    const none = yield* ada.bulk(operations, { atomic: true })
    assert.deepStrictEqual(each(none, "status"), [424, 409, 424])
    assert.strictEqual(none.at("failed_index"), 1)
    assert.lengthOf(titles(yield* ada.get("/v1/logs")), 2)
    const single = yield* ada.post("/v1/logs", { ...entry, title: "refused by the database" })
    assert.strictEqual(single.status, 409)
    yield* sql`ALTER TABLE log_entries DROP CONSTRAINT of_the_test`
  }))

  it.effect("are a thousand at most, and at least one", () => Effect.gen(function*() {
    const ada = yield* engineer("thousand@example.com")
    const thousand = Array.from({ length: 1_000 }, (_, index) => create({ title: `entry ${index}`, description: `words of ${index}`, tags: ["a", `t${index % 10}`] }))
    const created = yield* ada.bulk(thousand)
    assert.strictEqual(created.at("succeeded"), 1_000)
    const ids = each(created, "entry", "id")
    const updated = yield* ada.bulk(ids.map((id, index) => ({ action: "update", id, entry: { ...entry, title: `new ${index}`, tags: ["b"] } })))
    assert.strictEqual(updated.at("succeeded"), 1_000)
    assert.strictEqual(updated.at("items", 999, "entry", "title"), "new 999")
    const removed = yield* ada.bulk(ids.map((id) => ({ action: "delete", id })))
    assert.strictEqual(removed.at("succeeded"), 1_000)
    assert.lengthOf(titles(yield* ada.get("/v1/logs")), 0)
    assert.strictEqual((yield* ada.bulk([...thousand, create()])).status, 400)
    assert.strictEqual((yield* ada.bulk([])).status, 400)
  }))

  it.effect("of the same entries by many do not deadlock", () => Effect.gen(function*() {
    const ada = yield* engineer("bulkrace@example.com")
    const created = yield* ada.bulk(Array.from({ length: 30 }, (_, index) => create({ title: `${index}` })))
    const ids = each(created, "entry", "id")
    const updates = (order: ReadonlyArray<unknown>) => ada.bulk(order.map((id) => ({ action: "update", id, entry: { ...entry, tags: ["x", "y"] } })))
    const answers = yield* Effect.all(Array.from({ length: 8 }, (_, index) => updates(index % 2 === 0 ? ids : ids.toReversed())), { concurrency: "unbounded" })
    assert.deepStrictEqual(answers.map((answer) => answer.at("succeeded")), Array<number>(8).fill(30))
  }))
})
