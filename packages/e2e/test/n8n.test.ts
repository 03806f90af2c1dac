/** Data for n8n through a real API and a real worker, against a server that speaks n8n's webhook protocol. */
import { assert, layer } from "@effect/vitest"
import { ExternalSync } from "@englog/domain/tasks/ExternalSync"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Context, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { createHmac, generateKeyPairSync, verify } from "node:crypto"
import { FakeN8n } from "../src/FakeN8n.ts"
import { password, register } from "../src/Person.ts"
import { Running } from "../src/Running.ts"

const world = Layer.unwrap(Effect.map(FakeN8n, ({ host }) => Running.layer({ N8N_PRIVATE_HOSTS: host }))).pipe(Layer.provideMerge(FakeN8n.layer))

let people = 0

/** Somebody with the typed client. */
const person = Effect.fnUntraced(function*() {
  const { url } = yield* Running
  const email = `n8n-${++people}@example.com`
  yield* register(url, email)
  return Context.get(yield* Layer.build(EngLogClient.layer({ url, auth: { email, password: Redacted.make(password) } })), EngLogClient)
})

const registration = { user: { email: "ada@example.com", name: "Ada", age: 36 }, noise: true }
const Body = Schema.Struct({ sync_type: Schema.NullOr(Schema.String), organization_id: Schema.String, task_id: Schema.String, data: Schema.Json })
const decodeBody = Schema.decodeUnknownEffect(Body)
const noRetry = { max_retries: 0 } as const

layer(world, { excludeTestServices: true, timeout: "180 seconds" })("data for n8n", (it) => {
  it.effect("reach the workflow that takes their type, mapped, with the header it asks for; its answer is the result", () => Effect.scoped(Effect.gen(function*() {
    const n8n = yield* FakeN8n
    const englog = yield* person()
    n8n.workflows.set("/webhook/user-registration", {
      accepts: (headers) => headers["x-englog-key"] === "open sesame",
      answers: [{ status: 200, body: { contact: 17 } }]
    })
    const connection = yield* englog.CreateN8nConnection({
      name: "Production", base_url: `${n8n.url}/`, auth: { type: "header", name: "X-EngLog-Key", value: "open sesame" }, timeout: 30,
      sync_types: [{ sync_type: "user_registration", path: "user-registration", mapping: { email: "user.email", who: "user.name", phone: "user.phone" } }]
    })
    assert.notInclude(JSON.stringify(connection), "sesame")
    const task = yield* englog.submitN8nSync({ sync_type: "user_registration", data: registration, priority: "high" })
    assert.deepStrictEqual(yield* task.result, { status: 200, response: { contact: 17 }, cut: false })
    const [started] = n8n.started.filter(({ path }) => path === "/webhook/user-registration")
    const body = yield* decodeBody(started?.body)
    assert.deepStrictEqual(body.data, { email: "ada@example.com", who: "Ada" }, "what is not there is left out")
    assert.deepStrictEqual([body.sync_type, body.task_id, started?.headers["idempotency-key"]], ["user_registration", task.task_id, task.task_id])
    const after = yield* englog.GetN8nConnection({ id: connection.id })
    assert.strictEqual(after.last_task_id, task.task_id)
    // A change without the secret keeps it, and waiting tasks would use the new path.
    n8n.workflows.set("/webhook/elsewhere", { accepts: (headers) => headers["x-englog-key"] === "open sesame" })
    yield* englog.UpdateN8nConnection({ id: connection.id, connection: { name: "Production", base_url: n8n.url, auth: { type: "header", name: "X-EngLog-Key" }, timeout: 30, sync_types: [{ sync_type: "user_registration", path: "elsewhere", mapping: null }] } })
    const again = yield* (yield* englog.submitN8nSync({ sync_type: "user_registration", data: registration })).result
    assert.deepStrictEqual(again.response, { message: "Workflow was started" })
    assert.deepStrictEqual((yield* decodeBody(n8n.started.find(({ path }) => path === "/webhook/elsewhere")?.body)).data, registration)
  })))

  it.effect("carry basic authentication, and tokens that n8n can verify with a passphrase or a public key", () => Effect.scoped(Effect.gen(function*() {
    const n8n = yield* FakeN8n
    const englog = yield* person()
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
    const bearer = (value: string | undefined) => (value ?? "").replace(/^Bearer /, "").split(".")
    n8n.workflows.set("/webhook/basic", { accepts: ({ authorization }) => authorization === `Basic ${Buffer.from("n8n:p:w").toString("base64")}` })
    n8n.workflows.set("/webhook/hmac", {
      accepts: ({ authorization }) => {
        const [head, claims, signature] = bearer(authorization)
        return signature === createHmac("sha384", "a passphrase").update(`${head}.${claims}`).digest("base64url")
      }
    })
    n8n.workflows.set("/webhook/rsa", {
      accepts: ({ authorization }) => {
        const [head, claims, signature = ""] = bearer(authorization)
        return verify("sha256", Buffer.from(`${head}.${claims}`), pair.publicKey, Buffer.from(signature, "base64url"))
      }
    })
    const key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    const ways = [
      ["basic", { type: "basic", username: "n8n", password: "p:w" }],
      ["hmac", { type: "jwt", algorithm: "HS384", key: "a passphrase" }],
      ["rsa", { type: "jwt", algorithm: "RS256", key }]
    ] as const
    for (const [path, auth] of ways) {
      const { id } = yield* englog.CreateN8nConnection({ name: path, base_url: n8n.url, auth, sync_types: [], timeout: 30 })
      const result = yield* (yield* englog.triggerN8nWorkflow({ connection_id: id, path, data: { n: 1 } })).result
      assert.strictEqual(result.status, 200, path)
    }
    const refused = yield* Effect.flip(englog.CreateN8nConnection({ name: "no key", base_url: n8n.url, auth: { type: "jwt", algorithm: "RS256", key: "nonsense" }, sync_types: [], timeout: 30 }))
    assert.include(refused.message, "auth.key: is no private key for RS256")
  })))

  it.effect("fail with a reason that says what to do", () => Effect.scoped(Effect.gen(function*() {
    const n8n = yield* FakeN8n
    const englog = yield* person()
    n8n.workflows.set("/webhook/locked", { accepts: () => false })
    n8n.workflows.set("/webhook/moved", { answers: [{ status: 302, body: "", headers: { location: "http://127.0.0.1:1/" } }] })
    n8n.workflows.set("/webhook-test/draft", { answers: [{ status: 200, body: "plain text" }] })
    const { id } = yield* englog.CreateN8nConnection({ name: "n", base_url: n8n.url, auth: { type: "none" }, sync_types: [], timeout: 1 })
    const failure = (path: string, more: { readonly test?: boolean } = {}) =>
      Effect.flatMap(englog.triggerN8nWorkflow({ connection_id: id, path, ...more }), ({ result }) => Effect.map(Effect.flip(result), ({ message }) => message))
    assert.include(yield* failure("inactive"), "n8n answered 404: no active workflow listens at this path")
    assert.include(yield* failure("inactive", { test: true }), "no editor listens at this test URL")
    assert.include(yield* failure("locked"), "n8n answered 403: it does not accept the credentials")
    const noted = yield* englog.GetN8nConnection({ id })
    assert.deepStrictEqual([noted.last_failure_at !== null, noted.last_success_at], [true, null])
    assert.include(yield* failure("moved"), "n8n answered 302: n8n sends us elsewhere")
    const draft = yield* (yield* englog.triggerN8nWorkflow({ connection_id: id, path: "draft", test: true })).result
    assert.strictEqual(draft.response, "plain text")
    const elsewhere = yield* englog.CreateN8nConnection({ name: "e", base_url: "http://10.0.0.1:5678", auth: { type: "none" }, sync_types: [], timeout: 1 })
    const kept = yield* Effect.flatMap(englog.triggerN8nWorkflow({ connection_id: elsewhere.id, path: "x" }), ({ result }) => Effect.flip(result))
    assert.include(kept.message, "n8n was not reached")
  })))

  it.effect("are tried again when n8n has too much to do, fails, or does not answer in time, with the same key", () => Effect.scoped(Effect.gen(function*() {
    const n8n = yield* FakeN8n
    const englog = yield* person()
    for (const [path, first] of [["busy", { status: 429, body: { message: "Too many requests" } }], ["broken", { status: 500, body: { message: "Error in workflow" } }], ["slow", null]] as const) {
      n8n.workflows.set(`/webhook/${path}`, { answers: [first, { status: 200, body: { ok: true } }] })
      const { id } = yield* englog.CreateN8nConnection({ name: path, base_url: n8n.url, auth: { type: "none" }, sync_types: [], timeout: 1 })
      const { steps, task_id } = yield* englog.triggerN8nWorkflow({ connection_id: id, path })
      const retrying = yield* Stream.runHead(Stream.filter(steps, ({ type }) => type === "retrying"))
      assert.strictEqual(retrying._tag, "Some", path)
      assert.strictEqual((yield* englog.CancelTask({ task_id })).state, "cancelled")
      const keys = n8n.started.filter((one) => one.path === `/webhook/${path}`).map(({ headers }) => headers["idempotency-key"])
      assert.deepStrictEqual(keys, [task_id])
    }
  })))

  it.effect("are kept from those who are no members, and connections from those who are no administrators", () => Effect.scoped(Effect.gen(function*() {
    const n8n = yield* FakeN8n
    const [ada, eve] = [yield* person(), yield* person()]
    const connection = yield* ada.CreateN8nConnection({
      name: "Mine", base_url: n8n.url, auth: { type: "none" }, timeout: 30, sync_types: [{ sync_type: "user_registration", path: "a", mapping: null }]
    })
    const reasons = yield* Effect.forEach([
      eve.GetN8nConnection({ id: connection.id }),
      eve.DeleteN8nConnection({ id: connection.id }),
      eve.triggerN8nWorkflow({ connection_id: connection.id, path: "a" }),
      eve.submitN8nSync({ sync_type: "user_registration", data: {} }),
      eve.ListN8nConnections({ organization_id: connection.organization_id }),
      eve.submitN8nSync({ sync_type: "user_registration", data: {}, organization_id: connection.organization_id }),
      ada.CreateN8nConnection({ name: "Other", base_url: n8n.url, auth: { type: "none" }, timeout: 30, sync_types: [{ sync_type: "user_registration", path: "b", mapping: null }] }),
      ada.submit(ExternalSync, { connection_id: connection.id, sync_type: null, path: "a", test: false }, noRetry)
    ], (call) => Effect.map(Effect.flip<unknown, unknown, never>(call), (failure) => Schema.is(Schema.Struct({ reason: Schema.String }))(failure) ? failure.reason : failure))
    assert.deepStrictEqual(reasons, ["not_found", "not_found", "not_found", "not_found", "forbidden", "forbidden", "conflict", "bad_request"])
  })))
})
