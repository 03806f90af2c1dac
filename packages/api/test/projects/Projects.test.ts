import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { register, TestApi } from "../http/TestApi.ts"

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("projects", (it) => {
  it.effect("are created with defaults and read back", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { id, token } = yield* register("projects@example.com")
    const created = yield* ask("POST", "/v1/projects", { token, body: { name: " Billing ", start_date: "2026-01-05" } })
    assert.strictEqual(created.status, 201)
    assert.strictEqual(created.at("name"), "Billing")
    assert.strictEqual(created.at("status"), "active")
    assert.strictEqual(created.at("start_date"), "2026-01-05")
    assert.strictEqual(created.at("end_date"), null)
    assert.strictEqual(created.at("created_by"), id)
    const read = yield* ask("GET", created.headers["location"] ?? "", { token })
    assert.deepStrictEqual(read.body, created.body)
  }))

  it.effect("refuse an end before the start and unknown states", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register("wrong-projects@example.com")
    const answer = yield* ask("POST", "/v1/projects", { token, body: { name: "P", start_date: "2026-02-01", end_date: "2026-01-01" } })
    assert.strictEqual(answer.error, "end_date: must not be before start_date")
    const state = yield* ask("POST", "/v1/projects", { token, body: { name: "P", status: "done" } })
    assert.strictEqual(state.error, "status: must be one of active, completed, on_hold, cancelled")
  }))

  it.effect("of others do not exist", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const [ada, eve] = [yield* register("p-ada@example.com"), yield* register("p-eve@example.com")]
    const created = yield* ask("POST", "/v1/projects", { token: ada.token, body: { name: "P" } })
    assert.strictEqual((yield* ask("GET", created.headers["location"] ?? "", { token: eve.token })).status, 404)
    assert.deepStrictEqual((yield* ask("GET", "/v1/projects", { token: eve.token })).at("items"), [])
  }))

  it.effect("come page by page, newest first", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register("many-projects@example.com")
    for (const name of ["one", "two", "three"]) yield* ask("POST", "/v1/projects", { token, body: { name } })
    const first = yield* ask("GET", "/v1/projects?limit=2", { token })
    assert.strictEqual(first.at("items", 0, "name"), "three")
    assert.strictEqual(first.at("items", 1, "name"), "two")
    const second = yield* ask("GET", `/v1/projects?limit=2&cursor=${String(first.at("next_cursor"))}`, { token })
    assert.strictEqual(second.at("items", 0, "name"), "one")
    assert.strictEqual(second.at("next_cursor"), null)
  }))
})
