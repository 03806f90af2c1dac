import { OrganizationId } from "@englog/domain/Ids"
import { DeliveryOrder, FailedDelivery, WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import { verifyWebhook } from "@englog/rpc/client/WebhookSignature"
import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { CircuitPolicy } from "../../src/webhooks/CircuitRepo.ts"
import { type Ask, TestApi } from "../http/TestApi.ts"
import { patientApi, person, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"
import { eventually } from "../support/WholeApi.ts"

const decodeOrder = Schema.decodeEffect(Schema.fromJsonString(DeliveryOrder))
const encodeFailed = Schema.encodeSync(Schema.fromJsonString(FailedDelivery))
const record = { duration_ms: 5, request_headers: {}, status_code: 200, error: null, response_headers: {}, response_body: "" }
const result = JSON.stringify(record)
const answered = (status_code: number, retryable = true) =>
  ({ _tag: "Failed", error: `answered ${status_code}`, retryable, detail: encodeFailed({ _tag: "Sent", record: { ...record, status_code } }) }) as const

const courier = Effect.gen(function*() {
  const worker = yield* workerFor([WebhookDelivery.kind])
  return {
    ...worker,
    nextOrder: Effect.gen(function*() {
      const task = yield* worker.next
      return { task, order: yield* decodeOrder(yield* worker.data(task)) }
    })
  }
})

/** Somebody with an endpoint. */
const owner = Effect.fnUntraced(function*(webhook: Record<string, unknown> = {}) {
  const ada = yield* person()
  const { ask } = yield* TestApi
  const put = (path: string, body: Ask["body"]) => ask("PUT", `/api/background${path}`, { token: ada.token, body })
  const created = yield* ada.post("/webhooks", { url: "https://example.com/englog?key=1", ...webhook })
  if (created.status !== 201) return yield* Effect.die(new Error(created.text))
  return { ...ada, put, webhook: String(created.at("id")), secret: String(created.at("secret")), organization: OrganizationId.make(String(created.at("organization_id"))) }
})

const policy = { failures: 3, open: Duration.seconds(20), longest: Duration.hours(1), trial: Duration.seconds(60) }

layer(patientApi().pipe(Layer.provide(Layer.succeed(CircuitPolicy, policy))), { excludeTestServices: true, timeout: "60 seconds" })("an endpoint", (it) => {
  it.effect("is told of the tasks whose events it names, signed, and of no others", () => Effect.gen(function*() {
    const ada = yield* owner({ events: ["task.completed"] })
    const [kind, worker] = [newKind(), yield* courier]
    const runner = yield* workerFor([kind])
    const id = yield* ada.started({ task_type: kind, payload: { text: "canary" } })
    yield* runner.complete(yield* runner.next, "{\"text\":\"canary\"}")
    const { order, task } = yield* worker.nextOrder
    if (order._tag !== "Send") return assert.fail("it is to be sent")
    const message = yield* verifyWebhook(ada.secret, order.headers, order.body)
    assert.deepInclude(message, { type: "task.completed" })
    assert.deepStrictEqual(Object(message).data, {
      task_id: id, task_type: kind.toLowerCase(), organization_id: ada.organization, user_id: ada.id, status: "completed", reason: null
    })
    assert.notInclude(order.body, "canary")
    yield* worker.complete(task, result)
    const failing = yield* ada.started({ task_type: kind, max_retries: 0 })
    yield* runner.report(yield* runner.next, { _tag: "Failed", error: "no", retryable: true })
    yield* eventually(ada.get(`/tasks/${failing}`), (view) => view.at("state") === "failed")
    const all = yield* ada.get("/webhook-deliveries")
    assert.deepStrictEqual([all.at("items", 0, "event_type"), all.at("items", 0, "status"), all.at("items", 1)], ["task.completed", "delivered", undefined])
  }), 60_000)

  it.effect("is told of the ends that no worker reports, too", () => Effect.gen(function*() {
    const ada = yield* owner({ events: ["task.cancelled", "task.failed"] })
    const [kind, worker] = [newKind(), yield* courier]
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const cancelled = yield* ada.started({ task_type: kind })
    yield* ada.post(`/tasks/${cancelled}/cancel`)
    const first = yield* worker.nextOrder
    yield* worker.complete(first.task, result)
    const late = yield* ada.started({ task_type: kind, deadline: 1 })
    const second = yield* worker.nextOrder
    yield* worker.complete(second.task, result)
    const told = [first, second].map(({ order }) => order._tag === "Send" ? JSON.parse(order.body) : order)
    assert.deepStrictEqual(told.map(({ data, type }) => [type, data.task_id, data.status, data.reason]), [
      ["task.cancelled", cancelled, "cancelled", null], ["task.failed", late, "failed", "deadline"]
    ])
  }), 60_000)

  it.effect("shows its secret once, renews it, and hides where it is in the database", () => Effect.gen(function*() {
    const ada = yield* owner({ headers: { Authorization: "Bearer canary" }, description: "canary" })
    const worker = yield* courier
    assert.match(ada.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    for (const path of ["/webhooks", `/webhooks/${ada.webhook}`]) assert.notInclude((yield* ada.get(path)).text, ada.secret)
    const renewed = yield* ada.post(`/webhooks/${ada.webhook}/rotate-secret`, {})
    assert.notStrictEqual(renewed.at("previous_valid_until"), null)
    const tested = yield* ada.post(`/webhooks/${ada.webhook}/test`)
    assert.strictEqual(tested.status, 202)
    const { order, task } = yield* worker.nextOrder
    if (order._tag !== "Send") return assert.fail("it is to be sent")
    assert.deepInclude(order, { url: "https://example.com/englog?key=1" })
    assert.strictEqual(order.headers["authorization"], "Bearer canary")
    for (const secret of [ada.secret, String(renewed.at("secret"))]) {
      assert.deepInclude(yield* verifyWebhook(secret, order.headers, order.body), { type: "webhook.test" })
    }
    yield* worker.complete(task, result)
    const sql = yield* SqlClient.SqlClient
    const stored = JSON.stringify([yield* sql`SELECT * FROM webhook_endpoints`, yield* sql`SELECT * FROM webhook_secrets`, yield* sql`SELECT * FROM webhook_deliveries`])
    for (const secret of ["canary", "example.com", ada.secret.slice(6)]) assert.notInclude(stored, secret)
  }), 60_000)

  it.effect("is left alone after failures in a row, then tried with one message, and told of the rest when that succeeds", () => Effect.gen(function*() {
    const ada = yield* owner({ max_retries: 0 })
    const worker = yield* courier
    const sql = yield* SqlClient.SqlClient
    for (let n = 0; n < 3; n++) {
      yield* ada.post(`/webhooks/${ada.webhook}/test`)
      yield* worker.report((yield* worker.nextOrder).task, answered(500))
    }
    const open = yield* ada.get(`/webhooks/${ada.webhook}`)
    assert.deepInclude(open.at("circuit"), { state: "open", failures: 3 })
    const waiting = yield* ada.post(`/webhooks/${ada.webhook}/test`)
    assert.strictEqual((yield* ada.get(`/tasks/${String(waiting.at("task_id"))}`)).at("waits_for"), "time")
    // The time is over.
    const over = Effect.andThen(sql`UPDATE webhook_endpoints SET circuit_until = now() - interval '1 second' WHERE id = ${ada.webhook}::uuid`,
      sql`UPDATE task_queue SET run_at = now() WHERE waits_for = 'time'`)
    yield* over
    assert.deepInclude((yield* ada.get(`/webhooks/${ada.webhook}`)).at("circuit"), { state: "half_open" })
    yield* ada.post(`/webhooks/${ada.webhook}/test`)
    const trial = yield* worker.nextOrder
    const other = yield* worker.nextOrder
    assert.deepStrictEqual([trial.order._tag, other.order._tag], ["Send", "Hold"])
    const retry_after = other.order._tag === "Hold" ? other.order.retry_after : 0
    yield* worker.report(other.task, { _tag: "Failed", error: "held", retryable: true, retry_after, detail: encodeFailed({ _tag: "Held" }) })
    yield* worker.report(trial.task, answered(500))
    const again = yield* ada.get(`/webhooks/${ada.webhook}`)
    assert.deepInclude(again.at("circuit"), { state: "open", failures: 4 })
    assert.isAbove(Date.parse(String(again.at("circuit", "retry_at"))) - Date.now(), 30_000, "twice as long as before")
    yield* over
    const next = yield* worker.nextOrder
    assert.deepStrictEqual([next.task.task_id, next.task.attempt, next.order._tag], [other.task.task_id, 2, "Send"], "being held used up no try")
    yield* worker.complete(next.task, result)
    assert.deepInclude((yield* ada.get(`/webhooks/${ada.webhook}`)).at("circuit"), { state: "closed", failures: 0 })
  }), 60_000)

  it.effect("that answers 410 is disabled, and nothing more is sent to it until its owner enables it", () => Effect.gen(function*() {
    const ada = yield* owner({ events: ["task.completed"] })
    const worker = yield* courier
    const accepted = [yield* ada.post(`/webhooks/${ada.webhook}/test`), yield* ada.post(`/webhooks/${ada.webhook}/test`)]
    yield* worker.report((yield* worker.nextOrder).task, answered(410, false))
    assert.deepInclude((yield* ada.get(`/webhooks/${ada.webhook}`)).body, { enabled: false, disabled_reason: "gone" })
    const second = yield* worker.next
    assert.deepStrictEqual(yield* decodeOrder(yield* worker.data(second)), { _tag: "Refuse", reason: "its endpoint is disabled" })
    yield* worker.report(second, { _tag: "Failed", error: "its endpoint is disabled", retryable: false })
    assert.strictEqual((yield* ada.post(`/webhooks/${ada.webhook}/test`)).error, "the webhook is disabled; enable it first")
    const enabled = yield* ada.put(`/webhooks/${ada.webhook}`, { url: "https://example.com/new" })
    assert.deepInclude(enabled.body, { enabled: true, disabled_reason: null, url: "https://example.com/new", events: null })
    const range = yield* ada.post("/webhook-deliveries/redeliver", { endpoint_id: ada.webhook })
    assert.strictEqual(range.status, 202)
    const ids = accepted.map((one) => String(one.at("delivery_id"))).sort()
    assert.sameMembers(ids, [String(range.at("items", 0, "delivery_id")), String(range.at("items", 1, "delivery_id"))])
    for (let n = 0; n < 2; n++) {
      const { order, task } = yield* worker.nextOrder
      assert.strictEqual(order._tag === "Send" ? order.url : "", "https://example.com/new")
      yield* worker.complete(task, result)
    }
    const delivered = yield* ada.get(`/webhook-deliveries?status=delivered&endpoint_id=${ada.webhook}`)
    assert.sameMembers([delivered.at("items", 0, "attempts"), delivered.at("items", 1, "attempts")], [1, 2], "one of them was never sent before")
  }), 60_000)

  it.effect("gets no more at once than its rate limit says", () => Effect.gen(function*() {
    const ada = yield* owner({ rate_limit: { max_running: 2, per_second: null } })
    const worker = yield* courier
    const tasks = yield* Effect.forEach(Array.from({ length: 5 }), () => ada.post(`/webhooks/${ada.webhook}/test`))
    const started = [yield* worker.next, yield* worker.next]
    const states = yield* Effect.forEach(tasks, (one) => ada.get(`/tasks/${String(one.at("task_id"))}`))
    assert.lengthOf(states.filter((one) => one.at("waits_for") === "limit"), 3)
    for (const task of started) yield* worker.complete(task, result)
    for (let n = 0; n < 3; n++) yield* worker.complete(yield* worker.next, result)
    yield* eventually(ada.get("/webhook-deliveries?status=delivered"), (page) => page.at("items", 4) !== undefined)
  }), 60_000)

  it.effect("is changed by the admins of its organization only, and for others does not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* owner(), yield* person()]
    const { ask } = yield* TestApi
    const asEve = (method: "GET" | "PUT" | "DELETE" | "POST", path: string, body?: unknown) =>
      ask(method, `/api/background/webhooks/${ada.webhook}${path}`, { token: eve.token, ...body === undefined ? {} : { body } })
    for (const answer of [yield* asEve("GET", ""), yield* asEve("PUT", "", { url: "https://example.com/" }), yield* asEve("DELETE", ""), yield* asEve("POST", "/test")]) {
      assert.deepStrictEqual([answer.status, answer.error], [404, `there is no webhook ${ada.webhook}`])
    }
    const sql = yield* SqlClient.SqlClient
    yield* sql`INSERT INTO organization_members (organization_id, user_id, role) VALUES (${ada.organization}::uuid, ${eve.id}::uuid, 'member')`
    assert.strictEqual((yield* asEve("GET", "")).status, 200)
    const denied = yield* asEve("PUT", "", { url: "https://example.com/" })
    assert.deepStrictEqual([denied.status, denied.error], [403, "organization_id: only an admin of the team may do this"])
    const wrong = yield* ada.post("/webhooks", { url: "http://example.com/", events: [] })
    assert.deepStrictEqual([wrong.status, wrong.error], [400, "events: must name at least one, or be null for all"])
    assert.strictEqual((yield* ada.post("/webhooks", { url: "https://localhost/" })).error, "url: must not name this machine, or a private or reserved address")
    const moved = yield* ada.put(`/webhooks/${ada.webhook}`, { url: "https://example.com/", organization_id: eve.id })
    assert.deepStrictEqual([moved.status, moved.error], [400, "organization_id: cannot be changed"])
    const unchanged = yield* ada.get(`/webhooks/${ada.webhook}`)
    assert.strictEqual((yield* ada.put(`/webhooks/${ada.webhook}`, unchanged.body)).status, 200, "what was read can be written back")
    for (const answer of [yield* ada.get(`/webhook-deliveries?endpoint_id=${eve.id}`), yield* ada.post("/webhook-deliveries/redeliver", { endpoint_id: eve.id })]) {
      assert.deepStrictEqual([answer.status, answer.error], [404, `endpoint_id: there is no webhook ${eve.id}`])
    }
    const removed = yield* ask("DELETE", `/api/background/webhooks/${ada.webhook}`, { token: ada.token })
    assert.strictEqual(removed.status, 204)
    assert.deepStrictEqual((yield* ada.get("/webhooks")).body, { items: [], next_cursor: null })
  }), 60_000)
})
