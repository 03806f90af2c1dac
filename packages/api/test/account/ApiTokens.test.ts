import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Duration, Effect, Redacted, Schedule } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { openPolicy } from "../../src/http/edge/EdgePolicy.ts"
import { entry, password, TestApi } from "../http/TestApi.ts"
import { type Somebody, somebody } from "../support/Person.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const makeToken = Effect.fnUntraced(function*(owner: Somebody, scopes: ReadonlyArray<string>, more: Record<string, unknown> = {}) {
  const answer = yield* owner.post("/v1/users/tokens", { name: "Nightly import", scopes, ...more })
  if (answer.status !== 201) return yield* Effect.die(new Error(answer.text))
  return { id: String(answer.at("id")), token: String(answer.at("token")), location: answer.headers["location"], body: answer.body }
})

const client = Effect.fnUntraced(function*(token: string) {
  const { address } = yield* HttpServer.HttpServer
  return EngLogClient.layer({ url: `http://127.0.0.1:${"port" in address ? address.port : 0}`, auth: Redacted.make(token) })
})

const limits = { ...openPolicy.limits, user: { name: "user", limit: 200, window: Duration.minutes(1) }, token: { name: "token", limit: 12, window: Duration.minutes(1) } }

layer(wholeApi({ edge: { limits } }), { excludeTestServices: true, timeout: "60 seconds" })("an API token", (it) => {
  it.effect("is told once, and kept as a hash and an encrypted name", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const { body, id, location, token } = yield* makeToken(ada, ["read"], { expires_in_days: 7 })
    assert.match(token, /^englog_[\w-]{43}$/)
    assert.strictEqual(location, `/v1/users/tokens/${id}`)
    assert.deepInclude(body, { name: "Nightly import", scopes: ["read"], last_used_at: null })
    const tokens = yield* ada.get("/v1/users/tokens")
    assert.deepInclude(tokens.at("items", 0), { id, name: "Nightly import" })
    assert.notInclude(tokens.text, token)
    const days = (Date.parse(String(tokens.at("items", 0, "expires_at"))) - Date.now()) / 86_400_000
    assert.closeTo(days, 7, 0.1)
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT to_jsonb(t)::text || encode(token_hash, 'escape') AS text FROM api_tokens t WHERE id = ${id}`
    assert.notInclude(String(rows[0]?.["text"]), token.slice("englog_".length))
    assert.notInclude(String(rows[0]?.["text"]), "Nightly")
  }))

  it.effect("does over REST what its scopes allow, and nothing else", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    const reader = yield* makeToken(ada, ["read"])
    const writer = yield* makeToken(ada, ["write"])
    const submitter = yield* makeToken(ada, ["background"])
    const status = (token: string, ...[method, path, body]: ["GET" | "POST", string, unknown?]) =>
      Effect.map(ask(method, path, { token, ...body === undefined ? {} : { body } }), (answer) => answer.status)
    assert.strictEqual(yield* status(reader.token, "GET", "/v1/logs"), 200)
    const refused = yield* ask("POST", "/v1/logs", { token: reader.token, body: entry })
    assert.deepStrictEqual([refused.status, refused.error], [403, "the API token lacks the scope \"write\""])
    assert.strictEqual(yield* status(writer.token, "POST", "/v1/logs", entry), 201)
    assert.strictEqual(yield* status(writer.token, "GET", "/v1/logs"), 403)
    assert.strictEqual(yield* status(submitter.token, "GET", "/v1/schedules"), 200)
    assert.strictEqual(yield* status(submitter.token, "GET", "/v1/logs"), 403)
    assert.strictEqual(yield* status(reader.token, "GET", "/v1/schedules"), 403)
    yield* eventually(
      sql`SELECT id FROM security_events WHERE user_id = ${ada.id} AND event = 'access_denied' AND detail ->> 'route' = '/v1/logs'`,
      (rows) => rows.length >= 3
    )
  }))

  it.effect("does over RPC what its scopes allow", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const { token } = yield* makeToken(ada, ["read"])
    yield* Effect.gen(function*() {
      const calls = yield* EngLogClient
      assert.deepInclude(yield* calls.GetProfile(), { id: ada.id })
      assert.deepInclude(yield* Effect.flip(calls.UpdatePreferences({ timezone: "UTC", locale: "en", week_start: "monday", email_report_ready: false, weekly_report: true, team_notifications: true, email_team_notifications: true, working_hours: null })), {
        reason: "forbidden", message: "the API token lacks the scope \"write\""
      })
      assert.deepInclude(yield* Effect.flip(calls.GetQueueStats()), { reason: "forbidden" })
      assert.deepInclude(yield* Effect.flip(calls.CreateApiToken({ name: "more", scopes: ["read"], expires_in_days: 1 })), {
        reason: "forbidden", message: "an API token may not do this; log in"
      })
    }).pipe(Effect.provide(yield* client(token)))
  }))

  it.effect("never makes tokens, changes the password, ends sessions, or takes or ends the account, whatever its scopes", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    yield* sql`UPDATE users SET is_admin = true WHERE id = ${ada.id}`
    yield* eventually(ada.get("/v1/admin/jobs"), ({ status }) => status === 200)
    const { id, token } = yield* makeToken(ada, ["read", "write", "background", "admin"])
    const attempts = [
      ["POST", "/v1/users/tokens", { name: "more", scopes: ["read"] }],
      ["DELETE", `/v1/users/tokens/${id}`, undefined],
      ["PUT", "/v1/users/password", { current_password: password, new_password: "another battery" }],
      ["DELETE", "/v1/users/sessions", undefined],
      ["GET", "/v1/users/export", undefined],
      ["POST", "/v1/users/anonymize", { password }],
      ["POST", "/v1/users/delete", { password }],
      ["PUT", "/v1/users/deletion", { password, delete_after: "2100-01-01T00:00:00Z" }]
    ] as const
    for (const [method, path, body] of attempts) {
      const answer = yield* ask(method, path, { token, ...body === undefined ? {} : { body } })
      assert.deepStrictEqual([path, answer.status, answer.error], [path, 403, "an API token may not do this; log in"])
    }
    assert.strictEqual((yield* ask("GET", "/v1/auth/me", { token })).status, 200)
  }))

  it.effect("is an administrator's only with that scope, which nobody else can give", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    const climbing = yield* ada.post("/v1/users/tokens", { name: "up", scopes: ["admin"] })
    assert.deepStrictEqual([climbing.status, climbing.error], [403, "scopes: only an administrator may have the scope admin"])
    yield* sql`UPDATE users SET is_admin = true WHERE id = ${ada.id}`
    yield* eventually(ada.get("/v1/admin/jobs"), ({ status }) => status === 200)
    const [plain, powerful] = [yield* makeToken(ada, ["read", "write", "background"]), yield* makeToken(ada, ["admin"])]
    const reporting = yield* makeToken(ada, ["bounces"])
    assert.strictEqual((yield* ask("GET", "/api/background/queue/stats", { token: powerful.token })).status, 200)
    assert.strictEqual((yield* ask("GET", "/api/background/queue/stats", { token: plain.token })).status, 403)
    yield* sql`UPDATE users SET is_admin = false WHERE id = ${ada.id}`
    const fallen = yield* ask("GET", "/v1/admin/jobs", { token: powerful.token }).pipe(
      Effect.repeat({ while: ({ status }) => status === 200, schedule: Schedule.spaced("500 millis"), times: 8 })
    )
    assert.deepStrictEqual([fallen.status, fallen.error], [403, "only an administrator may do this"])
    const pipe = yield* ask("POST", "/v1/mail/bounces", { token: reporting.token, body: { message: "Subject: hi" } })
    assert.deepStrictEqual([pipe.status, pipe.error], [403, "the API token lacks the scope \"bounces\""])
  }))

  it.effect("works no more once it is revoked or has expired", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const [one, other] = [yield* makeToken(ada, ["read"]), yield* makeToken(ada, ["read"])]
    const me = (token: string) => ask("GET", "/v1/auth/me", { token })
    assert.strictEqual((yield* me(one.token)).status, 200)
    assert.strictEqual((yield* eve.remove(`/v1/users/tokens/${one.id}`)).status, 404)
    assert.strictEqual((yield* ada.remove(`/v1/users/tokens/${one.id}`)).status, 204)
    assert.strictEqual((yield* ada.remove(`/v1/users/tokens/${one.id}`)).status, 404)
    yield* sql`UPDATE api_tokens SET expires_at = now() WHERE id = ${other.id}`
    assert.strictEqual((yield* me(other.token)).error, "authorization: the API token has expired")
    const gone = yield* Effect.repeat(me(one.token), { while: ({ status }) => status === 200, schedule: Schedule.spaced("500 millis"), times: 8 })
    assert.deepStrictEqual([gone.status, gone.error], [401, "authorization: there is no such API token, or it was revoked"])
    assert.strictEqual((yield* me(`englog_${"x".repeat(43)}`)).status, 401)
  }))

  it.effect("shows when it was last used, to the hour", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    const { token } = yield* makeToken(ada, ["read"])
    yield* ask("GET", "/v1/logs", { token })
    const used = String((yield* ada.get("/v1/users/tokens")).at("items", 0, "last_used_at"))
    assert.match(used, /:00:00.000Z$/)
    assert.isBelow(Date.now() - Date.parse(used), 3_700_000)
  }))

  it.effect("has a quota of its own, beside its user's", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    const [one, other] = [yield* makeToken(ada, ["read"]), yield* makeToken(ada, ["read"])]
    const answers = yield* Effect.forEach(Array.from({ length: 13 }), () => ask("GET", "/v1/logs", { token: one.token }))
    assert.deepStrictEqual(answers.map(({ status }) => status), [...Array<number>(12).fill(200), 429])
    assert.strictEqual(answers[0]?.headers["ratelimit-limit"], "12")
    assert.strictEqual((yield* ask("GET", "/v1/logs", { token: other.token })).status, 200)
    assert.strictEqual((yield* ada.get("/v1/logs")).headers["ratelimit-limit"], "200")
  }))

  it.effect("is refused with the field that is wrong, and one too many with 409", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const wrong = yield* ada.post("/v1/users/tokens", { name: " ", scopes: ["read", "read"], expires_in_days: 0 })
    assert.strictEqual(wrong.status, 400)
    for (const problem of ["name: must not be empty", "scopes: must name each scope once", "expires_in_days: must be a whole number from 1 to 366"]) assert.include(wrong.error, problem)
    assert.strictEqual((yield* ada.post("/v1/users/tokens", { name: "x", scopes: [] })).status, 400)
    assert.strictEqual((yield* ada.post("/v1/users/tokens", { name: "x", scopes: ["everything"] })).status, 400)
    assert.strictEqual((yield* ada.remove(`/v1/users/tokens/${randomUUID()}`)).status, 404)
    const answers = yield* Effect.all(Array.from({ length: 52 }, () => ada.post("/v1/users/tokens", { name: "x", scopes: ["read"] })), { concurrency: 8 })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [...Array<number>(50).fill(201), 409, 409])
  }))
})
