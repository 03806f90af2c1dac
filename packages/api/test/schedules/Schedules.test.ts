import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { TestApi } from "../http/TestApi.ts"
import { person, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const planner = Effect.fnUntraced(function*(more: { readonly admin?: boolean } = {}) {
  const { ask } = yield* TestApi
  const who = yield* person(more)
  const call = (method: "GET" | "POST" | "PUT" | "DELETE") => (path: string, body?: unknown) =>
    ask(method, `/v1/schedules${path}`, { token: who.token, ...body === undefined ? {} : { body } })
  return { ...who, read: call("GET"), write: call("POST"), put: call("PUT"), remove: call("DELETE") }
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a schedule", (it) => {
  it.effect("submits its task at each occurrence, to a worker of its kind", () => Effect.gen(function*() {
    const ada = yield* planner()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const answer = yield* ada.write("", { name: "Every second", task_type: kind, payload: { n: 1 }, priority: "high", cron: "* * * * * *" })
    assert.deepStrictEqual([answer.status, answer.at("priority"), answer.at("timezone"), answer.at("catch_up")], [201, 8, "UTC", "skip"])
    assert.strictEqual(answer.headers["location"], `/v1/schedules/${answer.at("id")}`)
    const [first, second] = [yield* worker.next, yield* worker.next]
    assert.deepStrictEqual([first.kind, JSON.parse(first.payload)], [kind, { n: 1 }])
    const views = yield* Effect.forEach([first, second], ({ task_id }) => ada.get(`/tasks/${task_id}`))
    const keys = views.map((view) => String(view.at("unique_key")))
    for (const key of keys) assert.match(key, new RegExp(`^schedule:${answer.at("id")}:.*Z$`))
    assert.strictEqual(new Set(keys).size, 2)
    assert.strictEqual(views[0]?.at("name"), "Every second")
    assert.strictEqual((yield* ada.remove(`/${answer.at("id")}`)).status, 204)
  }))

  it.effect("is read, replaced, paused, resumed, run and deleted", () => Effect.gen(function*() {
    const ada = yield* planner()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const made = yield* ada.write("", { task_type: kind, cron: "0 9 * * MON", timezone: "Europe/Berlin", catch_up: "last" })
    const path = `/${made.at("id")}`
    assert.deepStrictEqual((yield* ada.read(path)).body, made.body)
    assert.strictEqual((yield* ada.read("")).at("items", 0, "id"), made.at("id"))
    const same = yield* ada.put(path, made.body)
    assert.deepStrictEqual([same.status, { ...Object(same.body), updated_at: made.at("updated_at") }], [200, made.body], same.error)
    const changed = yield* ada.put(path, { ...Object(made.body), cron: "0 10 * * *", name: "Daily" })
    assert.deepStrictEqual([changed.at("cron"), changed.at("name"), changed.at("catch_up")], ["0 10 * * *", "Daily", "last"])
    assert.notStrictEqual(changed.at("next_run_at"), made.at("next_run_at"))
    assert.strictEqual((yield* ada.write(`${path}/pause`)).at("paused"), true)
    assert.strictEqual((yield* ada.write(`${path}/resume`)).at("paused"), false)
    const started = yield* ada.write(`${path}/run`)
    assert.strictEqual(started.status, 202)
    assert.strictEqual((yield* worker.next).task_id, started.at("task_id"))
    assert.strictEqual((yield* ada.remove(path)).status, 204)
    for (const gone of [yield* ada.read(path), yield* ada.remove(path), yield* ada.write(`${path}/run`)]) {
      assert.deepStrictEqual([gone.status, gone.error], [404, `there is no schedule ${made.at("id")}`])
    }
  }))

  it.effect("that could never be carried out is refused, with field and reason", () => Effect.gen(function*() {
    const ada = yield* planner()
    const kind = newKind()
    yield* workerFor([kind])
    const good = { task_type: kind, cron: "0 9 * * *" }
    const refused = Effect.fnUntraced(function*(status: number, error: RegExp, body: Record<string, unknown>) {
      const answer = yield* ada.write("", body)
      assert.deepStrictEqual([answer.status, error.test(answer.error)], [status, true], answer.error)
    })
    yield* refused(400, /^cron: never fires: no month has such a day$/, { ...good, cron: "0 0 31 2 *" })
    yield* refused(400, /^cron: must be a cron expression of 5 or 6 fields/, { ...good, cron: "soon" })
    yield* refused(400, /^timezone: must be an IANA time zone/, { ...good, timezone: "Mars/Olympus" })
    yield* refused(400, /^catch_up: /, { ...good, catch_up: "some" })
    yield* refused(400, /^catch_up_limit: must be a whole number from 1 to 100/, { ...good, catch_up_limit: 0 })
    yield* refused(400, /unique_key/, { ...good, unique_key: "mine" })
    yield* refused(404, /^task_type: there is no kind nonsense; known are /, { ...good, task_type: "nonsense" })
    yield* refused(403, /^task_type: cleanup is for administrators/, { ...good, task_type: "cleanup" })
    yield* refused(400, /^task_type: insight_generation is submitted at/, { ...good, task_type: "insight_generation" })
    const admin = yield* planner({ admin: true })
    const answer = yield* admin.write("", { ...good, task_type: "cleanup", payload: { max_age_days: -1 } })
    assert.deepStrictEqual([answer.status, answer.error], [400, "payload.max_age_days: must be a whole number from 0 to 3650"])
  }))

  it.effect("of another organization does not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* planner(), yield* planner()]
    const kind = newKind()
    yield* workerFor([kind])
    const made = yield* ada.write("", { task_type: kind, cron: "0 9 * * *" })
    const path = `/${made.at("id")}`
    for (const denied of [yield* eve.read(path), yield* eve.put(path, made.body), yield* eve.remove(path), yield* eve.write(`${path}/run`), yield* eve.write(`${path}/pause`)]) {
      assert.strictEqual(denied.status, 404)
    }
    assert.deepStrictEqual((yield* eve.read("")).at("items"), [])
  }))

  it.effect("is the same over RPC", () => Effect.gen(function*() {
    const ada = yield* planner()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const made = yield* client.CreateSchedule({ task_type: kind, cron: "0 9 * * *", timezone: "UTC", catch_up: "all", catch_up_limit: 3, paused: true })
      assert.deepInclude(made, { paused: true, catch_up_limit: 3, task_type: kind.toLowerCase() })
      assert.isFalse((yield* client.ResumeSchedule({ id: made.id })).paused)
      assert.isTrue((yield* client.PauseSchedule({ id: made.id })).paused)
      assert.strictEqual((yield* client.ListSchedules({})).items.length, 1)
      const { task_id } = yield* client.RunSchedule({ id: made.id })
      assert.strictEqual((yield* worker.next).task_id, task_id)
      yield* client.DeleteSchedule({ id: made.id })
      assert.deepInclude(yield* Effect.flip(client.GetSchedule({ id: made.id })), { reason: "not_found" })
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(ada.token) })))
  }))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("resuming", (it) => {
  it.effect("catches up nothing of the pause", () => Effect.gen(function*() {
    const ada = yield* planner()
    const kind = newKind()
    yield* workerFor([kind])
    const made = yield* ada.write("", { task_type: kind, cron: "* * * * * *", catch_up: "all", paused: true })
    const path = `/${made.at("id")}`
    yield* eventually(Effect.sync(() => Date.now()), (now) => now > Date.parse(String(made.at("next_run_at"))) + 1_000)
    const before = Date.now()
    yield* ada.write(`${path}/resume`)
    const ran = yield* eventually(ada.read(path), (view) => view.at("last_run_at") !== null)
    const task = yield* ada.get(`/tasks/${ran.at("last_task_id")}`)
    assert.isAbove(Date.parse(String(task.at("unique_key")).slice(-24)), before - 1)
    const all = yield* SqlClient.SqlClient.use((sql) => sql<{ unique_key: string }>`SELECT unique_key FROM tasks WHERE kind = ${kind}`)
    for (const { unique_key } of all) assert.isAbove(Date.parse(unique_key.slice(-24)), before - 1)
  }))
})
