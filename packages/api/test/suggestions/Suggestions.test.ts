import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { TestApi } from "../http/TestApi.ts"
import { accepted, type Author, author } from "../support/Narration.ts"
import { join, refusal } from "../support/ProtocolTwoWorker.ts"
import { eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"

let workers = 0
const categorizer = Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `categorizer-${++workers}`, kinds: ["ENTRY_CATEGORIZATION"], slots: 50 }))

/** Takes exactly this task. */
const taken = Effect.fnUntraced(function*(worker: Effect.Success<typeof categorizer>, request: Effect.Effect<Parameters<typeof accepted>[0], unknown, TestApi>) {
  const task_id = yield* accepted(yield* Effect.orDie(request))
  return yield* worker.next.pipe(Effect.repeat({ until: (task) => task.task_id === task_id }))
})

const suggested = Effect.fnUntraced(function*(by: Author, proposals: ReadonlyArray<Record<string, unknown>>, entry_ids: ReadonlyArray<string> = by.entries) {
  const worker = yield* categorizer
  const task = yield* taken(worker, by.post("/v1/suggestions", { entry_ids }))
  yield* worker.complete(task, JSON.stringify({ proposals, model: "llama3.2:3b", source: "model" }))
  yield* eventually(by.get(`/v1/tasks/${task.task_id}`), (view) => view.at("state") === "completed")
  const list = yield* by.get("/v1/suggestions")
  assert.strictEqual(list.status, 200, list.text)
  const items = list.at("items")
  return Array.isArray(items) ? items : []
}, Effect.scoped)

const decide = (by: Author, decisions: ReadonlyArray<{ readonly id: string; readonly decision: string }>) => by.post("/v1/suggestions/decisions", { decisions })
const statuses = (answer: { readonly at: (key: string) => unknown }) => {
  const items = answer.at("items")
  return Array.isArray(items) ? items.map(({ status }) => status) : []
}

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("suggestions", (it) => {
  it.effect("are made from the entries and the allowed tags, which their worker reads while it holds the task", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* author(), yield* author()]
    yield* eve.post("/v1/tags", { name: "of eve" })
    yield* ada.post("/v1/tags", { name: "golang" })
    const worker = yield* categorizer
    const task = yield* taken(worker, ada.post("/v1/suggestions", { entry_ids: [ada.fix] }))
    assert.deepStrictEqual(JSON.parse(task.payload), { user_id: ada.id, entry_ids: [ada.fix] })
    const data = yield* worker.data(task)
    assert.include(data, "Fix the login race")
    assert.include(data, "\"golang\"")
    assert.include(data, "\"bug-fix\"")
    assert.notMatch(data, /of eve|Plan the quarter/)
    for (const wrong of ["{}", JSON.stringify({ proposals: [{ entry_id: ada.fix, type: "gardening", tags: [] }], model: "m", source: "model" })]) {
      assert.strictEqual(yield* refusal(worker.complete(task, wrong)), "INVALID_ARGUMENT")
    }
    assert.strictEqual((yield* sql`SELECT 1 FROM entry_suggestions WHERE user_id = ${ada.id}::uuid`).length, 0)
  }).pipe(Effect.scoped))

  it.effect("keep only what is about the user's entries and allowed, and are encrypted", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* author(), yield* author()]
    const items = yield* suggested(ada, [
      { entry_id: ada.fix, type: "debug", tags: ["Bug-Fix", "bug-fix", "invented", "security"] },
      { entry_id: ada.meeting, type: "meeting", tags: ["also invented"] },
      { entry_id: eve.fix, type: "debug", tags: ["bug-fix"] },
      { entry_id: randomUUID(), type: "debug", tags: ["bug-fix"] }
    ])
    assert.strictEqual(items.length, 1)
    assert.deepInclude(items[0], { entry_id: ada.fix, entry_title: "Fix the login race", type: "debug", tags: ["bug-fix", "security"], model: "llama3.2:3b", stale: false })
    assert.deepStrictEqual((yield* eve.get("/v1/suggestions")).at("items"), [])
    const rows = yield* sql<{ row: string }>`SELECT s::text AS row FROM entry_suggestions s WHERE user_id = ${ada.id}::uuid`
    assert.notMatch(rows.map(({ row }) => row).join(), /debug|bug-fix/)
    assert.strictEqual((yield* ada.get(`/v1/logs/${ada.fix}`)).at("type"), "code", "nothing changes before it is accepted")
  }))

  it.effect("change their entries when they are accepted, as an update does, and are gone once decided", () => Effect.gen(function*() {
    const ada = yield* author()
    const items = yield* suggested(ada, [{ entry_id: ada.fix, type: "debug", tags: ["bug-fix"] }, { entry_id: ada.meeting, type: "planning", tags: [] }])
    const before = yield* ada.get(`/v1/logs/${ada.fix}`)
    const idOf = (entry: string) => String(items.find(({ entry_id }) => entry_id === entry)?.id)
    const unknown = randomUUID()
    const answer = yield* decide(ada, [{ id: idOf(ada.fix), decision: "accept" }, { id: idOf(ada.meeting), decision: "reject" }, { id: unknown, decision: "accept" }])
    assert.deepStrictEqual([statuses(answer), answer.at("succeeded"), answer.at("failed")], [[200, 204, 404], 2, 1])
    const after = yield* ada.get(`/v1/logs/${ada.fix}`)
    assert.deepInclude(after.body, { type: "debug", tags: ["bug-fix"], description: "Cut p95 latency by 90%" })
    assert.deepStrictEqual(answer.at("items", 0, "entry"), after.body)
    assert.notStrictEqual(after.headers["etag"], before.headers["etag"])
    assert.strictEqual((yield* ada.get(`/v1/logs/${ada.meeting}`)).at("type"), "meeting")
    assert.deepStrictEqual((yield* ada.get("/v1/suggestions")).at("items"), [])
    assert.deepStrictEqual(statuses(yield* decide(ada, [{ id: idOf(ada.fix), decision: "accept" }])), [404])
  }))

  it.effect("are refused for an entry that changed meanwhile, and told to be stale", () => Effect.gen(function*() {
    const ada = yield* author()
    const { ask } = yield* TestApi
    const [item] = yield* suggested(ada, [{ entry_id: ada.fix, type: "debug", tags: ["bug-fix"] }], [ada.fix])
    const body = { ...Object((yield* ada.get(`/v1/logs/${ada.fix}`)).body), title: "Something else" }
    assert.strictEqual((yield* ask("PUT", `/v1/logs/${ada.fix}`, { token: ada.token, body })).status, 200)
    const list = yield* ada.get("/v1/suggestions")
    assert.deepStrictEqual([list.at("items", 0, "stale"), list.at("items", 0, "entry_title")], [true, "Something else"])
    const answer = yield* decide(ada, [{ id: item.id, decision: "accept" }])
    assert.deepStrictEqual(statuses(answer), [412])
    assert.match(answer.text, /the entry has changed since this was suggested/)
    assert.deepInclude((yield* ada.get(`/v1/logs/${ada.fix}`)).body, { type: "code", tags: [] })
    const again = yield* suggested(ada, [{ entry_id: ada.fix, type: "ops", tags: [] }], [ada.fix])
    assert.deepStrictEqual(again.map(({ stale, type }) => [stale, type]), [[false, "ops"]], "a new one takes its place")
  }))

  it.effect("are asked for entries without tags where none are named", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* categorizer
    const { ask } = yield* TestApi
    const tagged = { ...Object((yield* ada.get(`/v1/logs/${ada.meeting}`)).body), tags: ["planning"] }
    assert.strictEqual((yield* ask("PUT", `/v1/logs/${ada.meeting}`, { token: ada.token, body: tagged })).status, 200)
    const task = yield* taken(worker, ada.post("/v1/suggestions", {}))
    assert.deepStrictEqual(JSON.parse(task.payload).entry_ids, [ada.fix])
    yield* worker.complete(task, JSON.stringify({ proposals: [{ entry_id: ada.fix, type: "debug", tags: [] }], model: "builtin", source: "builtin" }))
    const none = yield* eventually(ada.post("/v1/suggestions", {}), ({ status }) => status === 409)
    assert.match(none.error, /none of your entries lacks/)
  }).pipe(Effect.scoped))

  it.effect("are refused where they concern what is not one's own, or nothing", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const [item] = yield* suggested(ada, [{ entry_id: ada.fix, type: "debug", tags: [] }], [ada.fix])
    const theirs = yield* eve.post("/v1/suggestions", { entry_ids: [eve.fix, ada.fix] })
    assert.deepStrictEqual([theirs.status, theirs.error], [404, `entry_ids: you have no such entries: ${ada.fix}`])
    assert.deepStrictEqual(statuses(yield* decide(eve, [{ id: item.id, decision: "reject" }])), [404])
    assert.strictEqual((yield* ada.post("/v1/suggestions", { entry_ids: [] })).status, 400)
    assert.strictEqual((yield* decide(ada, [])).status, 400)
    const twice = yield* decide(ada, [{ id: item.id, decision: "accept" }, { id: item.id, decision: "reject" }])
    assert.deepStrictEqual([twice.status, twice.error], [400, "decisions[1].id: must not be decided twice"])
    assert.strictEqual((yield* ada.get("/v1/suggestions")).at("items", 0, "id"), item.id)
  }))
})
