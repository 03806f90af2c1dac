import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { IdempotencyRepo } from "../../src/idempotency/IdempotencyRepo.ts"
import { entry, TestApi } from "../http/TestApi.ts"
import { engineer, titles } from "../support/Engineer.ts"
import { wholeApi } from "../support/WholeApi.ts"

const withKey = (key: string) => ({ "idempotency-key": key })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("a request with an Idempotency-Key", (it) => {
  it.effect("is carried out once and answered again as it was", () => Effect.gen(function*() {
    const ada = yield* engineer("twice@example.com")
    const first = yield* ada.post("/v1/logs", entry, withKey("key-1"))
    assert.deepStrictEqual([first.status, first.headers["idempotent-replayed"]], [201, undefined])
    const again = yield* ada.post("/v1/logs", entry, withKey("key-1"))
    assert.strictEqual(again.status, 201)
    assert.strictEqual(again.text, first.text)
    for (const name of ["location", "etag", "content-type"]) assert.strictEqual(again.headers[name], first.headers[name], name)
    assert.strictEqual(again.headers["idempotent-replayed"], "true")
    assert.notStrictEqual(again.headers["x-request-id"], first.headers["x-request-id"])
    assert.lengthOf(titles(yield* ada.get("/v1/logs")), 1)
  }))

  it.effect("makes one row of a thousand, sent at once", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* engineer("thousandkeys@example.com")
    const answers = yield* Effect.all(
      Array.from({ length: 1_000 }, () => ada.post("/v1/logs", entry, withKey("all-the-same"))),
      { concurrency: 100 }
    )
    assert.deepStrictEqual([...new Set(answers.map(({ status, text }) => `${status} ${text}`))], [`201 ${answers[0]?.text}`])
    assert.lengthOf(answers.filter(({ headers }) => headers["idempotent-replayed"] === undefined), 1)
    assert.lengthOf(yield* sql`SELECT 1 FROM log_entries WHERE user_id = ${ada.id}`, 1)
  }), 60_000)

  it.effect("is another one for another user, another path and another key, and none with another body", () => Effect.gen(function*() {
    const [ada, eve] = [yield* engineer("scope1@example.com"), yield* engineer("scope2@example.com")]
    const first = yield* ada.post("/v1/logs", entry, withKey("shared"))
    const hers = yield* eve.post("/v1/logs", entry, withKey("shared"))
    assert.notStrictEqual(hers.at("id"), first.at("id"))
    assert.strictEqual((yield* ada.post("/v1/projects", { name: "P" }, withKey("shared"))).status, 201)
    assert.strictEqual((yield* ada.post("/v1/logs", entry, withKey("Shared"))).status, 201)
    const other = yield* ada.post("/v1/logs", { ...entry, title: "other" }, withKey("shared"))
    assert.deepStrictEqual([other.status, other.error], [422, "idempotency-key: was used for another request; use a new one"])
    assert.lengthOf(titles(yield* ada.get("/v1/logs")), 2)
  }))

  it.effect("that was refused has done nothing and may come again", () => Effect.gen(function*() {
    const ada = yield* engineer("refused@example.com")
    const bad = yield* ada.post("/v1/logs", { ...entry, title: "" }, withKey("again"))
    assert.strictEqual(bad.status, 400)
    assert.strictEqual((yield* ada.post("/v1/logs", entry, withKey("again"))).status, 201)
    const path = yield* ada.record()
    assert.strictEqual((yield* ada.post(`${path}/stop`, undefined, withKey("stop"))).status, 409)
    assert.strictEqual((yield* ada.post(`${path}/stop`, undefined, withKey("stop"))).headers["idempotent-replayed"], undefined)
  }))

  it.effect("makes one team, and keeps no secret of an invitation", () => Effect.gen(function*() {
    const ada = yield* engineer("teamkey@example.com")
    const team = yield* ada.post("/v1/teams", { name: "Compilers" }, withKey("team"))
    assert.strictEqual((yield* ada.post("/v1/teams", { name: "Compilers" }, withKey("team"))).at("id"), team.at("id"))
    const invite = () => ada.post(`/v1/teams/${String(team.at("id"))}/invitations`, { email: "grace@example.com" }, withKey("invitation"))
    assert.notStrictEqual((yield* invite()).at("token"), (yield* invite()).at("token"))
  }))

  it.effect("makes many entries once", () => Effect.gen(function*() {
    const ada = yield* engineer("bulkkey@example.com")
    const operations = Array.from({ length: 20 }, () => ({ action: "create", entry }))
    const send = ada.post("/v1/logs/bulk", { operations }, withKey("bulk"))
    const [first, second] = yield* Effect.all([send, send], { concurrency: "unbounded" })
    assert.strictEqual(second.text, first.text)
    assert.lengthOf(titles(yield* ada.get("/v1/logs")), 20)
  }))

  it.effect("is known for a day, by digests and under encryption", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const repo = yield* IdempotencyRepo
    const ada = yield* engineer("day@example.com")
    const first = yield* ada.post("/v1/logs", { ...entry, description: "between us" }, withKey("tomorrow"))
    const [row] = yield* sql`SELECT response, encode(key_digest, 'escape') AS key FROM idempotency_keys WHERE user_id = ${ada.id}`
    assert.match(String(row?.["response"]), /^v2:k1:/)
    assert.notInclude(String(row?.["key"]), "tomorrow")
    yield* sql`UPDATE idempotency_keys SET created_at = now() - interval '23 hours 59 minutes' WHERE user_id = ${ada.id}`
    assert.strictEqual(yield* repo.removeExpired, 0)
    const send = ada.post("/v1/logs", { ...entry, description: "between us" }, withKey("tomorrow"))
    assert.strictEqual((yield* send).at("id"), first.at("id"))
    yield* sql`UPDATE idempotency_keys SET created_at = now() - interval '24 hours' WHERE user_id = ${ada.id}`
    const nextDay = yield* send
    assert.deepStrictEqual([nextDay.status, nextDay.at("id") === first.at("id")], [201, false])
    assert.strictEqual((yield* send).at("id"), nextDay.at("id"))
    yield* sql`UPDATE idempotency_keys SET created_at = now() - interval '24 hours' WHERE user_id = ${ada.id}`
    assert.strictEqual(yield* repo.removeExpired, 1)
  }).pipe(Effect.provide(IdempotencyRepo.layer)))

  it.effect("waits for another server that is carrying it out, and does it itself where that one gives up", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const repo = yield* IdempotencyRepo
    const ada = yield* engineer("elsewhere@example.com")
    const scope = { user_id: ada.id, method: "POST", path: "/v1/logs", key: "elsewhere" }
    const [claimed, givenUp] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    yield* Effect.forkChild(sql.withTransaction(Effect.gen(function*() {
      yield* repo.claim(scope, [])
      yield* Deferred.succeed(claimed, undefined)
      yield* Deferred.await(givenUp)
      return yield* Effect.fail("rolled back")
    })))
    yield* Deferred.await(claimed)
    const sending = yield* Effect.forkChild(ada.post("/v1/logs", entry, withKey("elsewhere")))
    yield* Effect.sleep("300 millis")
    assert.isUndefined(sending.pollUnsafe())
    yield* Deferred.succeed(givenUp, undefined)
    const answer = yield* Fiber.join(sending)
    assert.strictEqual(answer.status, 201)
  }).pipe(Effect.provide(IdempotencyRepo.layer)))

  it.effect("has a key of visible characters", () => Effect.gen(function*() {
    const ada = yield* engineer("keys@example.com")
    for (const key of ["two words", "k".repeat(256)]) {
      const answer = yield* ada.post("/v1/logs", entry, withKey(key))
      assert.deepStrictEqual([answer.status, answer.error], [400, "idempotency-key: must be 1 to 255 characters of ASCII without spaces"], key)
    }
    assert.strictEqual((yield* ada.post("/v1/logs", entry, withKey("k".repeat(255)))).status, 201)
  }))

  it.effect("means nothing where sessions are made", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    yield* engineer("login@example.com")
    const body = { email: "login@example.com", password: "correct horse battery" }
    const login = ask("POST", "/v1/auth/login", { body, headers: withKey("login") })
    const [first, second] = [yield* login, yield* login]
    assert.deepStrictEqual([first.status, second.status], [200, 200])
    assert.notStrictEqual(first.at("refresh_token"), second.at("refresh_token"))
    assert.lengthOf(yield* sql`SELECT 1 FROM idempotency_keys k JOIN users u ON u.id = k.user_id WHERE u.email = ${body.email}`, 0)
  }))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a task that is asked for with an Idempotency-Key", (it) => {
  it.effect("is submitted once, however many ask at the same time", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* engineer("tasks@example.com")
    const id = (yield* ada.record()).split("/").at(-1)
    const ask = ada.post("/v1/tasks/insights", { user_id: ada.id, entry_ids: [id], insight_type: "weekly" }, withKey("insight"))
    const answers = yield* Effect.all(Array.from({ length: 40 }, () => ask), { concurrency: "unbounded" })
    assert.deepStrictEqual([...new Set(answers.map(({ status, text }) => `${status} ${text}`))], [`202 ${answers[0]?.text}`])
    assert.lengthOf(yield* sql`SELECT 1 FROM tasks WHERE user_id = ${ada.id}`, 1)
  }))

  it.effect("does not starve the pool, however many different ones come at once", () => Effect.gen(function*() {
    const ada = yield* engineer("pool@example.com")
    const id = (yield* ada.record()).split("/").at(-1)
    const answers = yield* Effect.all(
      Array.from({ length: 60 }, (_, index) =>
        ada.post("/v1/tasks/insights", { user_id: ada.id, entry_ids: [id], insight_type: "weekly" }, withKey(`insight-${index}`))),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [202])
  }))
})
