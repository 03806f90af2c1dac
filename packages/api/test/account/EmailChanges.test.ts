import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Layer, Redacted, Schedule, Schema } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { type Answer, password, TestApi } from "../http/TestApi.ts"
import { type Somebody, somebody } from "../support/Person.ts"
import { join } from "../support/ProtocolTwoWorker.ts"
import { eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"

let addresses = 0
const newAddress = () => `another-${++addresses}@example.com`

const request = (who: Somebody, email: string, secret = password) => who.put("/v1/users/email", { email, password: secret })
const confirm = (who: Somebody, token: unknown) => who.post("/v1/users/email/confirm", { token })

/** What was or would be written to whom, newest first. */
const letters = Effect.fnUntraced(function*(who: Somebody) {
  const items = (yield* who.get("/v1/mail/deliveries?limit=20")).at("items")
  return Array.isArray(items) ? items.map(({ template, to }: { readonly template: string; readonly to: string }) => `${template} to ${to}`) : []
})

const logIn = (email: string) =>
  Effect.flatMap(TestApi, ({ ask }) => Effect.map(ask("POST", "/v1/auth/login", { body: { email, password } }), ({ status }) => status))

/** Callers are remembered for three seconds. */
const untilRefused = <E, R>(ask: Effect.Effect<Answer, E, R>) =>
  Effect.repeat(ask, { while: ({ status }) => status === 200, schedule: Schedule.spaced("100 millis"), times: 60 })

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("another e-mail address, where no e-mail can be sent,", (it) => {
  it.effect("is asked for with the password and confirmed with the token of the answer; other sessions end, and the old address is told", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    const elsewhere = yield* ada.logIn()
    const email = newAddress()
    const wrong = yield* request(ada, email, "not it at all")
    assert.deepStrictEqual([wrong.status, wrong.error], [403, "password: is wrong"])
    const asked = yield* request(ada, ` ${email.toUpperCase()} `)
    assert.strictEqual(asked.status, 200, asked.text)
    assert.strictEqual(asked.at("email"), email)
    assert.deepInclude((yield* ada.get("/v1/users/email")).body, { email, expires_at: asked.at("expires_at") })
    assert.strictEqual((yield* ada.get("/v1/users/profile")).at("email"), ada.email, "until it is confirmed nothing changes")
    assert.strictEqual(yield* logIn(email), 401)
    const changed = yield* confirm(ada, asked.at("token"))
    assert.deepStrictEqual([changed.status, changed.at("email")], [200, email])
    assert.deepStrictEqual([yield* logIn(email), yield* logIn(ada.email)], [200, 401])
    assert.strictEqual((yield* untilRefused(ask("GET", "/v1/auth/me", { token: elsewhere.token }))).status, 401)
    assert.strictEqual((yield* ada.get("/v1/auth/me")).at("email"), email)
    assert.deepStrictEqual((yield* letters(ada)).slice(0, 3).sort(), [
      `email_change to ${email}`, `email_change_requested to ${ada.email}`, `email_changed to ${ada.email}`
    ])
    const sql = yield* SqlClient.SqlClient
    const events = yield* eventually(
      sql<{ event: string; detail: unknown }>`SELECT event, detail FROM security_events WHERE user_id = ${ada.id}`,
      (rows) => ["email_change_requested", "email_changed", "password_refused"].every((event) => rows.some((row) => row.event === event))
    )
    assert.notInclude(JSON.stringify(events), "@", "the audit log holds no address")
  }))

  it.effect("comes of one token once, whoever tries how often", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const first = yield* request(ada, newAddress())
    const email = newAddress()
    const token = (yield* request(ada, email)).at("token")
    assert.strictEqual((yield* confirm(ada, first.at("token"))).status, 404, "an earlier one was replaced")
    const answers = yield* Effect.all(Array.from({ length: 6 }, () => confirm(ada, token)), { concurrency: "unbounded" })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 404, 404, 404, 404, 404])
    assert.strictEqual((yield* ada.get("/v1/users/email")).status, 404)
    const [stored] = yield* SqlClient.SqlClient.use((sql) => sql`SELECT count(*)::int AS count FROM email_changes WHERE user_id = ${ada.id}`)
    assert.strictEqual(stored?.["count"], 0)
  }))

  it.effect("is for the account that asked, in person, and for a day", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const token = (yield* request(ada, newAddress())).at("token")
    const others = yield* confirm(eve, token)
    assert.deepStrictEqual([others.status, others.at("details", 0, "field")], [404, "token"])
    const program = String((yield* ada.post("/v1/users/tokens", { name: "P", scopes: ["read", "write"] })).at("token"))
    for (const [method, path, body] of [
      ["PUT", "/v1/users/email", { email: newAddress(), password }], ["POST", "/v1/users/email/confirm", { token }], ["DELETE", "/v1/users/email", undefined]
    ] as const) {
      assert.strictEqual((yield* ask(method, path, { token: program, ...body === undefined ? {} : { body } })).status, 403, `${method} ${path}`)
    }
    yield* sql`UPDATE email_changes SET expires_at = now() WHERE user_id = ${ada.id}`
    assert.strictEqual((yield* confirm(ada, token)).status, 404)
    assert.strictEqual((yield* ada.get("/v1/users/email")).status, 404)
    assert.strictEqual((yield* ada.remove("/v1/users/email")).status, 404)
    assert.strictEqual((yield* ada.get("/v1/users/profile")).at("email"), ada.email)
  }))

  it.effect("is nobody's but one account's: who else took it meanwhile keeps it, and asking does not tell who has it", () => Effect.gen(function*() {
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const mine = yield* request(ada, ada.email)
    assert.deepStrictEqual([mine.status, mine.error], [400, "email: is the address of your account already"])
    const [taken, free] = [yield* request(ada, eve.email), yield* request(eve, newAddress())]
    assert.deepStrictEqual([taken.status, Object.keys(Object(taken.body))], [free.status, Object.keys(Object(free.body))])
    const token = (yield* request(ada, eve.email)).at("token")
    const refused = yield* confirm(ada, token)
    assert.deepStrictEqual([refused.status, refused.error], [409, "email: another account has this address by now"])
    assert.deepStrictEqual([(yield* ada.get("/v1/auth/me")).at("email"), (yield* eve.get("/v1/auth/me")).at("email")], [ada.email, eve.email])
    const contested = newAddress()
    const [hers, eves] = [(yield* request(ada, contested)).at("token"), (yield* request(eve, contested)).at("token")]
    const both = yield* Effect.all([confirm(ada, hers), confirm(eve, eves)], { concurrency: 2 })
    assert.deepStrictEqual(both.map(({ status }) => status).sort(), [200, 409])
  }))

  it.effect("is withdrawn by its owner, and by a change of the password", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const token = (yield* request(ada, newAddress())).at("token")
    assert.strictEqual((yield* ada.remove("/v1/users/email")).status, 204)
    assert.strictEqual((yield* confirm(ada, token)).status, 404)
    const another = (yield* request(ada, newAddress())).at("token")
    assert.strictEqual((yield* ada.put("/v1/users/password", { current_password: password, new_password: "a longer horse battery" })).status, 204)
    assert.strictEqual((yield* confirm(ada, another)).status, 404)
  }))

  it.effect("is asked for five times an hour, because each of them writes to a stranger", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const answers = yield* Effect.forEach(Array.from({ length: 6 }), () => request(ada, newAddress()))
    assert.deepStrictEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200, 429])
  }))

  it.effect("is had over RPC, too", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const context = yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(ada.token), transport: "http" }))
    const client = yield* Effect.provide(EngLogClient, context)
    const email = newAddress()
    const secret = Redacted.make(password)
    yield* client.RequestEmailChange({ email: newAddress(), password: secret })
    yield* client.WithdrawEmailChange()
    assert.deepInclude(yield* Effect.flip(client.GetEmailChange()), { reason: "not_found" })
    const { token } = yield* client.RequestEmailChange({ email, password: secret })
    assert.strictEqual((yield* client.GetEmailChange()).email, email)
    assert.strictEqual((yield* client.ConfirmEmailChange({ token: token ?? "" })).email, email)
  }))
})

const decodeLetter = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({
  to: Schema.String, mail: Schema.Record(Schema.String, Schema.Json)
})))

layer(wholeApi({ publicUrl: "https://englog.example.com" }), { excludeTestServices: true, timeout: "60 seconds" })("another e-mail address, where e-mail is sent,", (it) => {
  it.effect("is proved by the letter to it: neither the answer nor the account's export has the token", () => Effect.gen(function*() {
    const worker = yield* Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: "email-change", kinds: ["EMAIL_NOTIFICATION"], slots: 50 }))
    const ada = yield* somebody()
    const email = newAddress()
    const asked = yield* request(ada, email)
    assert.deepStrictEqual([asked.status, asked.at("token")], [200, null])
    const letter = yield* Effect.repeat(
      Effect.flatMap(worker.next, (task) => Effect.flatMap(worker.data(task), decodeLetter)),
      { until: ({ mail }) => mail["template"] === "email_change" }
    )
    assert.deepInclude(letter.mail, { url: "https://englog.example.com" })
    assert.strictEqual(letter.to, email)
    const token = String(letter.mail["token"])
    const exported = yield* ada.get("/v1/users/export")
    assert.include(exported.text, email)
    assert.notInclude(exported.text, token)
    assert.strictEqual((yield* confirm(ada, token)).at("email"), email)
    yield* worker.leave
  }))
})
