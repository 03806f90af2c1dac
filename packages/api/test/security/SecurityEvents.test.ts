import { assert, describe, it, layer } from "@effect/vitest"
import { UserId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { DateTime, Duration, Effect, Layer, Logger, Redacted, References } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { loginLimits } from "../../src/auth/Accounts.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { SecurityEventRepo } from "../../src/security/SecurityEventRepo.ts"
import { SecurityEvents } from "../../src/security/SecurityEvents.ts"
import { encryptionKeys, password, register, TestApi } from "../http/TestApi.ts"
import { admin } from "../support/Admin.ts"
import { joins, member } from "../support/Members.ts"
import { author } from "../support/Narration.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

/** The rows of one request, once there are any. */
const rowsOf = (request_id: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    eventually(
      sql`SELECT event, user_id, address, detail FROM security_events WHERE request_id = ${request_id} ORDER BY at`,
      (rows) => rows.length > 0
    ))

/** Posts under a request id of its own and answers what was recorded about it. */
const recorded = Effect.fnUntraced(function*(path: string, body: unknown, token?: string) {
  const { ask } = yield* TestApi
  const id = randomUUID()
  yield* ask("POST", path, { body, headers: { "x-request-id": id }, ...(token === undefined ? {} : { token }) })
  const rows = yield* rowsOf(id)
  return rows.map(({ detail, event, user_id }) => ({ event, user_id, detail }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("the audit log", (it) => {
  it.effect("has registrations, logins, failed logins and their reasons", () => Effect.gen(function*() {
    const account = { email: "audited@example.com", password, first_name: "A", last_name: "B" }
    const [registered] = yield* recorded("/v1/auth/register", account)
    assert.strictEqual(registered?.event, "registered")
    const user_id = registered?.user_id
    assert.isString(user_id)
    const email = account.email
    assert.deepStrictEqual(yield* recorded("/v1/auth/login", { email, password }), [{ event: "login", user_id, detail: {} }])
    assert.deepStrictEqual(yield* recorded("/v1/auth/login", { email, password: "wrong" }), [
      { event: "login_failed", user_id, detail: { reason: "wrong_password" } }
    ])
    assert.deepStrictEqual(yield* recorded("/v1/auth/login", { email: "nobody@example.com", password }), [
      { event: "login_failed", user_id: null, detail: { reason: "unknown_account" } }
    ])
  }))

  it.effect("has who was invited to a team, joined it, got another role in it and left it, and who did it", () => Effect.gen(function*() {
    const [ada, bea] = [yield* member("audit-ada@example.com"), yield* member("audit-bea@example.com")]
    const team = yield* ada.team({ name: "Audited" })
    yield* joins(bea, ada, team)
    yield* ada.put(`/v1/teams/${team}/members/${bea.id}`, { role: "lead" })
    yield* ada.remove(`/v1/teams/${team}/members/${bea.id}`)
    yield* ada.remove(`/v1/teams/${team}/members/${ada.id}`)
    yield* ada.remove(`/v1/teams/${team}`)
    const rows = yield* eventually(
      SqlClient.SqlClient.use((sql) => sql`SELECT event, user_id, detail FROM security_events WHERE detail ->> 'team_id' = ${team} ORDER BY at`),
      (found) => found.some(({ event }) => event === "team_deleted")
    )
    assert.deepStrictEqual(rows.map(({ detail, event, user_id }) => [event, user_id, detail]), [
      ["team_created", ada.id, { team_id: team }],
      ["team_invited", ada.id, { team_id: team, role: "member" }],
      ["team_joined", bea.id, { team_id: team, role: "member" }],
      ["team_role_changed", ada.id, { team_id: team, member_id: bea.id, role: "lead" }],
      ["team_member_removed", ada.id, { team_id: team, member_id: bea.id }],
      ["team_deleted", ada.id, { team_id: team }]
    ])
  }))

  it.effect("has the end of a session and the second use of a refresh token", () => Effect.gen(function*() {
    const { id, refresh } = yield* register("sessions@example.com")
    const { ask } = yield* TestApi
    const next = yield* ask("POST", "/v1/auth/refresh", { body: { refresh_token: refresh } })
    assert.deepStrictEqual(yield* recorded("/v1/auth/refresh", { refresh_token: refresh }), [
      { event: "refresh_reused", user_id: id, detail: {} }
    ])
    assert.strictEqual((yield* ask("POST", "/v1/auth/refresh", { body: { refresh_token: next.at("refresh_token") } })).status, 401)
    const other = yield* ask("POST", "/v1/auth/login", { body: { email: "sessions@example.com", password } })
    assert.deepStrictEqual(yield* recorded("/v1/auth/logout", { refresh_token: other.at("refresh_token") }), [
      { event: "session_ended", user_id: id, detail: {} }
    ])
  }))

  it.effect("has the guessing of passwords once, when it is stopped", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const guess = (id: string) =>
      ask("POST", "/v1/auth/login", { body: { email: "guessed@example.com", password: "wrong" }, headers: { "x-request-id": id } })
    yield* Effect.repeat(guess("guess"), { times: loginLimits.account.limit - 1 })
    yield* guess("one-too-many")
    yield* guess("two-too-many")
    assert.deepStrictEqual((yield* rowsOf("one-too-many")).map(({ detail, event }) => ({ event, detail })), [
      { event: "rate_limited", detail: { limit: "login-account" } }
    ])
    const sql = yield* SqlClient.SqlClient
    assert.lengthOf(yield* sql`SELECT id FROM security_events WHERE event = 'rate_limited'`, 1)
  }))

  it.effect("has forged tokens and those of the other type, wherever they are shown", () => Effect.gen(function*() {
    const { refresh, token } = yield* register("forged@example.com")
    const [head, payload] = token.split(".")
    const unsigned = `${Buffer.from("{\"alg\":\"none\"}").toString("base64url")}.${payload}.`
    const refused = (reason: string) => [{ event: "token_refused", user_id: null, detail: { reason } }]
    assert.deepStrictEqual(yield* recorded("/v1/logs", {}, `${head}.${payload}.${"A".repeat(43)}`), refused("signature"))
    assert.deepStrictEqual(yield* recorded("/v1/logs", {}, unsigned), refused("malformed"))
    assert.deepStrictEqual(yield* recorded("/v1/logs", {}, refresh), refused("type"))
    assert.deepStrictEqual(yield* recorded("/v1/auth/refresh", { refresh_token: token }), refused("type"))
    assert.deepStrictEqual(yield* recorded("/v1/auth/logout", { refresh_token: unsigned }), refused("malformed"))
  }))

  it.effect("holds no secret and no address in the clear", () => Effect.gen(function*() {
    const { refresh, token } = yield* register("canary@example.com")
    yield* recorded("/v1/auth/login", { email: "canary@example.com", password: "canary password" })
    yield* recorded("/v1/auth/login", { email: "canary password in the wrong field", password })
    yield* recorded("/v1/auth/refresh", { refresh_token: token })
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT e::text AS row, address FROM security_events e`
    const text = rows.map((row) => row["row"]).join("\n")
    for (const canary of ["canary", "127.0.0.1", token, refresh, password]) assert.notInclude(text, canary)
    for (const { address } of rows) assert.match(String(address), /^v2:k1:/)
  }))

  it.effect("is read on the server, by user and time, with addresses", () => Effect.gen(function*() {
    yield* register("one@example.com")
    const { id } = yield* register("two@example.com")
    assert.strictEqual(yield* admin("grant", "two@example.com"), "two@example.com is an administrator now.")
    const text = yield* eventually(Effect.orDie(admin("events", "--user", "Two@example.com", "--since", "1h")), (text) => text.includes("registered"))
    const lines = text.split("\n")
    assert.lengthOf(lines, 2)
    assert.match(lines[0] ?? "", new RegExp(`^\\S+Z admin_granted user=${id} address=- request=-$`))
    assert.match(lines[1] ?? "", new RegExp(`^\\S+Z registered user=${id} address=127.0.0.1 request=\\S+$`))
    assert.match(yield* admin("events", "--since", "2999-01-01"), /^No security events since 2999-01-01/)
    assert.include((yield* Effect.flip(admin("events", "--since", "yesterday"))).message, "usage: npm run admin")
    assert.include((yield* Effect.flip(admin("events", "--user"))).message, "usage: npm run admin")
    assert.include((yield* Effect.flip(admin("events", "--user", "nobody@example.com"))).message, "There is no account")
  }))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("what somebody may not do", (it) => {
  it.effect("is recorded with who asked, over REST and RPC", () => Effect.gen(function*() {
    const [ada, bob] = [yield* author(), yield* author()]
    const others = { user_id: bob.id, entry_ids: [ada.fix], insight_type: "productivity" } as const
    assert.deepStrictEqual(yield* recorded("/v1/tasks/insights", others, ada.token), [
      { event: "access_denied", user_id: ada.id, detail: { method: "POST", route: "/v1/tasks/insights" } }
    ])
    const { address } = yield* HttpServer.HttpServer
    const port = "port" in address ? address.port : 0
    const adas = { ...others, user_id: ada.id }
    const failure = yield* Effect.flatMap(EngLogClient, (client) => Effect.flip(client.SubmitInsight(adas))).pipe(
      Effect.provide(EngLogClient.layer({ url: `http://127.0.0.1:${port}`, auth: Redacted.make(bob.token) }))
    )
    assert.include(JSON.stringify(failure), "forbidden")
    const sql = yield* SqlClient.SqlClient
    const rows = yield* eventually(
      sql`SELECT detail FROM security_events WHERE event = 'access_denied' AND user_id = ${bob.id}`,
      (rows) => rows.length > 0
    )
    assert.deepStrictEqual(rows.map((row) => row["detail"]), [{ rpc: "SubmitInsight" }])
  }))
})

const Stored = SecurityEventRepo.layer.pipe(
  Layer.provideMerge(FieldCipher.layer(encryptionKeys)),
  Layer.provideMerge(TestDatabase.layer),
  Layer.orDie
)
const Audit = SecurityEvents.layerWriter.pipe(Layer.provideMerge(Stored))

const stored = Effect.flatMap(SqlClient.SqlClient, (sql) => sql<{ readonly event: string }>`SELECT event FROM security_events ORDER BY at`)

describe("an event", () => {
  it.live("waits for a database that is away, and is not lost", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { record } = yield* SecurityEvents
    yield* sql`ALTER TABLE security_events RENAME TO away`
    yield* record({ event: "worker_refused", address: "192.0.2.7", detail: { reason: "enrollment token" } })
    yield* record({ event: "login" })
    yield* sql`ALTER TABLE away RENAME TO security_events`
    const rows = yield* eventually(stored, (rows) => rows.length === 2)
    assert.deepStrictEqual(rows.map(({ event }) => event), ["worker_refused", "login"])
  }).pipe(Effect.provide(Audit)), 60_000)

  it.live("is stored by a process that stops", () => Effect.gen(function*() {
    const events = Array.from({ length: 1_200 }, (_, n) => n)
    yield* Effect.flatMap(SecurityEvents, ({ record }) =>
      Effect.forEach(events, (n) => record({ event: "login", detail: { n } }), { discard: true })).pipe(
        Effect.provide(SecurityEvents.layerWriter)
      )
    assert.lengthOf(yield* stored, events.length)
  }).pipe(Effect.provide([Stored, Logger.layer([])])), 60_000)

  it.live("is counted in the log where it cannot be stored", () => {
    const lines: Array<string> = []
    const log = Logger.make(({ message }) => { lines.push(String(Array.isArray(message) ? message[0] : message)) })
    return Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`ALTER TABLE security_events RENAME TO away`
      yield* Effect.flatMap(SecurityEvents, ({ record }) =>
        Effect.forEach(Array.from({ length: 10_600 }), () => record({ event: "login" }), { discard: true })).pipe(
          Effect.provide(SecurityEvents.layerWriter)
        )
      assert.lengthOf(lines.filter((line) => line === "security event: login"), 10_600)
      const full = lines.filter((line) => line.startsWith("more than 10000 security events wait")).length
      const given = lines.flatMap((line) => /^(\d+) security events were not stored/.exec(line)?.[1] ?? []).map(Number)
      assert.isAbove(full, 0)
      assert.strictEqual(full + given.reduce((sum, n) => sum + n, 0), 10_600)
    }).pipe(Effect.provide(Stored.pipe(Layer.provideMerge(Logger.layer([log])))))
  }, 60_000)

  it.live("is a line of the log that names user and request, and nothing personal", () => {
    const lines: Array<Record<string, unknown>> = []
    const log = Logger.make(({ fiber }) => { lines.push({ ...fiber.getRef(References.CurrentLogAnnotations) }) })
    return Effect.gen(function*() {
      const { ask } = yield* TestApi
      const { id } = yield* register("logged@example.com")
      yield* ask("POST", "/v1/auth/login", {
        body: { email: "logged@example.com", password: "wrong" },
        headers: { "x-request-id": "r-7" }
      })
      const line = lines.find(({ operation }) => operation === "login_failed")
      assert.deepStrictEqual(line, {
        component: "security", operation: "login_failed", user_id: id, request_id: "r-7", reason: "wrong_password"
      })
    }).pipe(Effect.provide(TestApi.layer.pipe(Layer.provideMerge(Logger.layer([log])))))
  }, 60_000)

  it.live("is kept for 90 days", () => Effect.gen(function*() {
    const repo = yield* SecurityEventRepo
    const now = yield* DateTime.now
    const aged = (days: number) => ({
      id: randomUUID(),
      at: DateTime.subtractDuration(now, Duration.days(days)),
      event: "login" as const,
      user_id: UserId.make(randomUUID()),
      address: "192.0.2.7",
      request_id: null,
      detail: { days }
    })
    yield* repo.insert([aged(89), aged(91)])
    assert.strictEqual(yield* repo.removeExpired, 1)
    const left = yield* repo.list({ since: DateTime.subtractDuration(now, Duration.days(365)), user_id: null, limit: 10 })
    assert.deepStrictEqual(left.map(({ address, detail }) => ({ address, detail })), [{ address: "192.0.2.7", detail: { days: 89 } }])
  }).pipe(Effect.provide(Stored)), 60_000)
})
