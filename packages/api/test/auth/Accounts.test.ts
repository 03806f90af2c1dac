import { assert, layer } from "@effect/vitest"
import { Effect, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { loginLimits } from "../../src/auth/Accounts.ts"
import { Authenticator } from "../../src/auth/Authenticator.ts"
import { password, register, TestApi } from "../http/TestApi.ts"
import { admin } from "../support/Admin.ts"

const login = (email: string, secret = password) =>
  Effect.flatMap(TestApi, ({ ask }) => ask("POST", "/v1/auth/login", { body: { email, password: secret } }))

const refresh = (refresh_token: string) =>
  Effect.flatMap(TestApi, ({ ask }) => ask("POST", "/v1/auth/refresh", { body: { refresh_token } }))

const logout = (refresh_token: string) =>
  Effect.flatMap(TestApi, ({ ask }) => ask("POST", "/v1/auth/logout", { body: { refresh_token } }))

const me = (token: string) => Effect.flatMap(TestApi, ({ ask }) => ask("GET", "/v1/auth/me", { token }))

/** Callers are remembered for three seconds: what is revoked shows within them. */
const untilRefused = (token: string) =>
  Effect.repeat(me(token), {
    while: (answer) => answer.status === 200,
    schedule: Schedule.spaced("100 millis"),
    times: 60
  })

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("accounts", (it) => {
  it.effect("registers a user with the response of seed 004", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("POST", "/v1/auth/register", {
      body: { email: "  New.User@Example.com ", password, first_name: " Ada ", last_name: "Lovelace", timezone: "Europe/Berlin" }
    })
    assert.strictEqual(answer.status, 201)
    assert.hasAllKeys(answer.body, ["access_token", "refresh_token", "expires_in", "token_type", "user"])
    assert.strictEqual(answer.at("expires_in"), 900)
    assert.strictEqual(answer.at("token_type"), "Bearer")
    assert.hasAllKeys(answer.at("user"), ["id", "email", "first_name", "last_name"])
    assert.strictEqual(answer.at("user", "email"), "new.user@example.com")
    assert.strictEqual(answer.at("user", "first_name"), "Ada")
    assert.strictEqual(answer.headers["cache-control"], "no-store")
    const account = yield* me(String(answer.at("access_token")))
    assert.strictEqual(account.at("timezone"), "Europe/Berlin")
    assert.strictEqual(account.at("is_admin"), false)
  }))

  it.effect("gives every user a personal organization they own", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { id, token } = yield* register("owner@example.com")
    const rows = yield* sql`
      SELECT o.id, m.role FROM organizations o JOIN organization_members m ON m.organization_id = o.id
      WHERE o.personal_of = ${id} AND m.user_id = ${id}`
    assert.deepStrictEqual(rows.map((row) => row["role"]), ["owner"])
    assert.strictEqual((yield* me(token)).at("organization_id"), rows[0]?.["id"])
  }))

  it.effect("refuses an address that has an account, however it is spelled, even at the same moment", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const attempt = (email: string) =>
      ask("POST", "/v1/auth/register", { body: { email, password, first_name: "A", last_name: "B" } })
    const answers = yield* Effect.all([attempt("twin@example.com"), attempt("TWIN@example.com")], { concurrency: 2 })
    assert.deepStrictEqual(answers.map((answer) => answer.status).sort(), [201, 409])
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT id FROM users WHERE email = 'twin@example.com'`
    assert.lengthOf(rows, 1)
  }))

  it.effect("says what is wrong with a registration", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const answer = yield* ask("POST", "/v1/auth/register", {
      body: { email: "nobody", password: "short", first_name: "", last_name: "x".repeat(101), timezone: "Mars/Base" }
    })
    assert.strictEqual(answer.status, 400)
    assert.deepStrictEqual(answer.error.split("; ").sort(), [
      "email: must be an e-mail address",
      "first_name: must not be empty",
      "last_name: must be at most 100 characters long",
      "password: must be at least 8 characters long",
      "timezone: must be an IANA time zone, such as Europe/Berlin"
    ])
  }))

  it.effect("keeps no password in the database, only its argon2id hash", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { id } = yield* register("hashed@example.com")
    const rows = yield* sql`SELECT password_hash FROM users WHERE id = ${id}`
    assert.match(String(rows[0]?.["password_hash"]), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  }))

  it.effect("logs in with the right password and notes when", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { id } = yield* register("login@example.com")
    yield* sql`UPDATE users SET last_login_at = NULL WHERE id = ${id}`
    const answer = yield* login("LOGIN@example.com ")
    assert.strictEqual(answer.status, 200)
    assert.hasAllKeys(answer.body, ["access_token", "refresh_token", "expires_in", "token_type", "user"])
    const account = yield* me(String(answer.at("access_token")))
    assert.isString(account.at("last_login_at"))
  }))

  it.effect("answers the same to a wrong password and an unknown address", () => Effect.gen(function*() {
    yield* register("known@example.com")
    const wrong = yield* login("known@example.com", "wrong password")
    const unknown = yield* login("unknown@example.com", "wrong password")
    assert.strictEqual(wrong.status, 401)
    assert.deepStrictEqual(wrong.body, unknown.body)
    assert.strictEqual(unknown.status, 401)
  }))

  it.effect("limits failed attempts per account and lets other accounts in", () => Effect.gen(function*() {
    yield* register("guessed@example.com")
    yield* register("bystander@example.com")
    const attempts = yield* Effect.forEach(
      Array.from({ length: loginLimits.account.limit + 3 }, (_, i) => i),
      (i) => login("guessed@example.com", `guess number ${i}`),
      { concurrency: 8 }
    )
    const statuses = attempts.map((attempt) => attempt.status)
    assert.lengthOf(statuses.filter((status) => status === 401), loginLimits.account.limit)
    assert.lengthOf(statuses.filter((status) => status === 429), 3)
    const right = yield* login("guessed@example.com")
    assert.strictEqual(right.status, 429)
    assert.isAtLeast(Number(right.headers["retry-after"]), 1)
    assert.isAtMost(Number(right.headers["retry-after"]), 15 * 60)
    assert.hasAllKeys(right.body, ["error", "code", "details"])
    assert.strictEqual((yield* login("bystander@example.com")).status, 200)
  }))

  it.effect("does not count successful logins", () => Effect.gen(function*() {
    yield* register("busy@example.com")
    const answers = yield* Effect.forEach(
      Array.from({ length: loginLimits.account.limit + 3 }),
      () => login("busy@example.com"),
      { concurrency: 1 }
    )
    assert.deepStrictEqual([...new Set(answers.map((answer) => answer.status))], [200])
  }))

  it.effect("exchanges a refresh token once, and ends the session when it comes again", () => Effect.gen(function*() {
    const first = yield* register("rotate@example.com")
    const second = yield* refresh(first.refresh)
    assert.strictEqual(second.status, 200)
    assert.hasAllKeys(second.body, ["access_token", "refresh_token", "expires_in", "token_type"])
    assert.strictEqual((yield* me(String(second.at("access_token")))).status, 200)
    const again = yield* refresh(first.refresh)
    assert.strictEqual(again.status, 401)
    const successor = yield* refresh(String(second.at("refresh_token")))
    assert.strictEqual(successor.status, 401)
    const refused = yield* untilRefused(String(second.at("access_token")))
    assert.strictEqual(refused.status, 401)
  }))

  it.effect("ends one session only", () => Effect.gen(function*() {
    const stolen = yield* register("two-devices@example.com")
    const other = yield* login("two-devices@example.com")
    yield* refresh(stolen.refresh)
    yield* refresh(stolen.refresh)
    assert.strictEqual((yield* refresh(String(other.at("refresh_token")))).status, 200)
  }))

  it.effect("lets the database decide which of many simultaneous refreshes was first", () => Effect.gen(function*() {
    const { refresh: token } = yield* register("race@example.com")
    const answers = yield* Effect.all(Array.from({ length: 8 }, () => refresh(token)), { concurrency: "unbounded" })
    const statuses = answers.map((answer) => answer.status)
    assert.lengthOf(statuses.filter((status) => status === 200), 1)
    assert.lengthOf(statuses.filter((status) => status === 401), 7)
  }))

  it.effect("logs out for good", () => Effect.gen(function*() {
    const { refresh: token, token: access } = yield* register("leave@example.com")
    const answer = yield* logout(token)
    assert.strictEqual(answer.status, 200)
    assert.deepStrictEqual(answer.body, { message: "Successfully logged out" })
    assert.strictEqual((yield* refresh(token)).status, 401)
    assert.strictEqual((yield* logout(token)).status, 401)
    assert.strictEqual((yield* untilRefused(access)).status, 401)
    const sql = yield* SqlClient.SqlClient
    const denied = yield* sql`SELECT count(*)::int AS n FROM refresh_token_denylist d JOIN refresh_token_families f ON f.id = d.family_id
      WHERE f.revoked_reason = 'logout'`
    assert.isAtLeast(Number(denied[0]?.["n"]), 1)
  }))

  it.effect("takes no token for one of the other type, and none that was tampered with", () => Effect.gen(function*() {
    const { refresh: token, token: access } = yield* register("types@example.com")
    assert.strictEqual((yield* me(token)).error, "authorization: this is not an access token")
    assert.strictEqual((yield* refresh(access)).error, "refresh_token: this is not a refresh token")
    assert.strictEqual((yield* logout(access)).status, 400)
    const [head, payload] = access.split(".")
    const unsigned = `${Buffer.from("{\"alg\":\"none\"}").toString("base64url")}.${payload}.`
    assert.strictEqual((yield* me(unsigned)).status, 401)
    assert.strictEqual((yield* me(`${head}.${payload}.${"A".repeat(43)}`)).error, "authorization: the token was not signed by this server")
    assert.strictEqual((yield* me("nonsense")).status, 401)
  }))

  it.effect("notices within seconds that a user is gone", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { id, token } = yield* register("gone@example.com")
    yield* sql`DELETE FROM users WHERE id = ${id}`
    assert.strictEqual((yield* untilRefused(token)).status, 401)
  }))

  it.effect("makes administrators on the server only", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const smuggled = yield* ask("POST", "/v1/auth/register", {
      body: { email: "climber@example.com", password, first_name: "A", last_name: "B", is_admin: true }
    })
    assert.strictEqual(smuggled.error, "unknown field \"is_admin\"")
    const { token } = yield* register("boss@example.com")
    assert.strictEqual(yield* admin("grant", " Boss@example.com"), "boss@example.com is an administrator now.")
    const { authenticate } = yield* Authenticator
    assert.isTrue((yield* authenticate(Redacted.make(token))).is_admin)
    yield* admin("revoke", "boss@example.com")
    assert.strictEqual((yield* me(token)).at("is_admin"), false)
    const unknown = yield* Effect.flip(admin("grant", "nobody@example.com"))
    assert.strictEqual(unknown.message, "There is no account with the address nobody@example.com")
    assert.include((yield* Effect.flip(admin("promote"))).message, "usage: npm run admin")
  }))
})
