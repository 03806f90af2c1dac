import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { register, TestApi } from "../http/TestApi.ts"
import { accepted, author, narrated, narrator } from "../support/Narration.ts"
import { wholeApi } from "../support/WholeApi.ts"

const draft = { content: "You recorded {{total.time}}.", tags: [], confidence: 0.8 }

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("access", (it) => {
  it.effect("to another user's tasks and insights is denied as if there were none", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const { result, task_id } = yield* narrated(ada, draft)
    const insight_id = String(result["insight_id"])
    const paths = [`/v1/tasks/${task_id}`, `/v1/tasks/${task_id}/result`, `/v1/tasks/${task_id}/stream`, `/v1/insights/${insight_id}`]
    for (const path of paths) {
      assert.strictEqual((yield* ada.get(path)).status, 200, path)
      const [denied, absent] = [yield* eve.get(path), yield* eve.get(path.replace(/.(?=$|\/result|\/stream)/, (last) => last === "0" ? "1" : "0"))]
      assert.deepStrictEqual([denied.status, absent.status], [404, 404], path)
      assert.strictEqual(denied.error.replace(/[\w-]{30,}/, ""), absent.error.replace(/[\w-]{30,}/, ""), "the answer tells nothing")
    }
    const waiting = yield* accepted(yield* ada.requestInsight())
    assert.strictEqual((yield* eve.post(`/v1/tasks/${waiting}/cancel`)).status, 404)
    assert.notStrictEqual((yield* ada.get(`/v1/tasks/${waiting}`)).at("state"), "cancelled")
    assert.deepStrictEqual((yield* eve.get("/v1/insights")).at("items"), [])
  }))

  it.effect("to another user's entries is denied, naming each of them", () => Effect.gen(function*() {
    const [ada, eve] = [yield* author(), yield* author()]
    const unknown = randomUUID()
    const answer = yield* eve.requestInsight({ entry_ids: [eve.fix, ada.fix, unknown, ada.meeting] })
    assert.strictEqual(answer.status, 404)
    for (const id of [ada.fix, unknown, ada.meeting]) assert.include(answer.error, id)
    assert.notInclude(answer.error, eve.fix)
    const sql = yield* SqlClient.SqlClient
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE user_id = ${eve.id}::uuid`).length, 0)
  }))

  it.effect("in the name of another user is forbidden, and for an administrator allowed", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* author(), yield* author()]
    const asAda = { user_id: ada.id, entry_ids: [ada.fix] }
    const period = { user_id: ada.id, start_date: "2026-01-05", end_date: "2026-01-05" }
    for (const answer of [yield* eve.requestInsight(asAda), yield* eve.requestReport(period)]) {
      assert.deepStrictEqual([answer.status, answer.error], [403, "user_id: must be your own id"])
    }
    const root = yield* register("root@example.com")
    yield* sql`UPDATE users SET is_admin = true WHERE id = ${root.id}::uuid`
    const { ask } = yield* TestApi
    const asRoot = (path: string, body: unknown) => ask("POST", path, { token: root.token, body })
    const task_id = yield* accepted(yield* asRoot("/v1/tasks/insights", { ...asAda, insight_type: "productivity" }))
    yield* accepted(yield* asRoot("/v1/tasks/reports", period))
    assert.strictEqual((yield* ada.get(`/v1/tasks/${task_id}`)).status, 200, "it is Ada's task")
    const nobody = yield* asRoot("/v1/tasks/reports", { ...period, user_id: randomUUID() })
    assert.strictEqual(nobody.status, 404)
    assert.match(nobody.error, /^user_id: there is no user/)
  }))

  it.effect("needs a token", () => Effect.gen(function*() {
    const ada = yield* author()
    const task_id = yield* accepted(yield* ada.requestInsight())
    assert.strictEqual((yield* ada.get(`/v1/tasks/${task_id}`, { authorization: "Bearer nonsense" })).status, 401)
  }))

  it.effect("to the workers is for those who are logged in", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* narrator
    const list = yield* ada.get("/v1/workers")
    assert.include(JSON.stringify(list.at("items")), `"worker_id":"${worker.workerId}"`)
    assert.notInclude(list.text, worker.token)
    assert.strictEqual((yield* ada.get("/v1/workers/health")).at("total_workers"), Object(list.at("items")).length)
    assert.strictEqual((yield* ada.get("/v1/workers", { authorization: "" })).status, 401)
  }))
})
