import { DeliveryOrder, FailedDelivery, WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import { verifyWebhook } from "@englog/rpc/client/WebhookSignature"
import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { patientApi, type Person, person, workerFor } from "../support/Background.ts"
import { eventually } from "../support/WholeApi.ts"

const decodeOrder = Schema.decodeEffect(Schema.fromJsonString(DeliveryOrder))
const encodeFailed = Schema.encodeSync(Schema.fromJsonString(FailedDelivery))
const record = { duration_ms: 5, request_headers: { "webhook-id": "x" }, status_code: 200, error: null, response_headers: { server: "test" }, response_body: "ok" }
const result = JSON.stringify(record)
const failedWith = (status_code: number) => encodeFailed({ _tag: "Sent", record: { ...record, status_code, error: `answered ${status_code}` } })

/** A worker that only takes webhooks, played by the test. */
const courier = Effect.gen(function*() {
  const worker = yield* workerFor([WebhookDelivery.kind])
  const next = Effect.gen(function*() {
    const task = yield* worker.next
    return { task, order: yield* decodeOrder(yield* worker.data(task)) }
  })
  return { ...worker, nextOrder: next }
})

const delivery = (ada: Person, id: unknown) => ada.get(`/webhook-deliveries/${String(id)}`)

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("a message to a URL that is named once", (it) => {
  it.effect("is accepted as seed 002 prints it, sent as it is, and logged", () => Effect.gen(function*() {
    const ada = yield* person()
    const worker = yield* courier
    const accepted = yield* ada.post("/tasks/webhook-delivery", {
      webhook_url: "https://example.com/webhook", data: { text: "canary" }, headers: { "X-Mine": "1" }, sign_payload: false, priority: "high"
    })
    assert.deepStrictEqual([accepted.status, accepted.at("message")], [202, "Task queued successfully"])
    const { order, task } = yield* worker.nextOrder
    assert.deepStrictEqual(order, {
      _tag: "Send",
      url: "https://example.com/webhook",
      headers: { "x-mine": "1", "content-type": "application/json", "webhook-id": String(accepted.at("webhook_id")) },
      body: "{\"text\":\"canary\"}"
    })
    assert.deepStrictEqual(JSON.parse(task.payload), { delivery_id: accepted.at("delivery_id") })
    yield* worker.complete(task, result)
    const seen = yield* delivery(ada, accepted.at("delivery_id"))
    assert.deepInclude(seen.body, { status: "delivered", attempts: 1, last_status_code: 200, body: "{\"text\":\"canary\"}", url: "https://example.com/webhook" })
    assert.deepInclude(seen.at("log", 0), { attempt: 1, status_code: 200, error: null, response_headers: { server: "test" }, response_body: "ok" })
    const sql = yield* SqlClient.SqlClient
    const stored = JSON.stringify([yield* sql`SELECT * FROM webhook_deliveries`, yield* sql`SELECT * FROM tasks`, yield* sql`SELECT * FROM webhook_attempts`],
      (_, value: unknown) => typeof value === "bigint" ? String(value) : value)
    for (const secret of ["canary", "example.com", "server"]) assert.notInclude(stored, secret)
  }), 60_000)

  it.effect("is signed with the organization's secret where that is asked for, and with two while they change", () => Effect.gen(function*() {
    const ada = yield* person()
    const worker = yield* courier
    const message = { webhook_url: "https://example.com/webhook", data: { n: 1 }, sign_payload: true }
    const early = yield* ada.post("/tasks/webhook-delivery", message)
    assert.deepStrictEqual([early.status, early.error], [400, "sign_payload: your organization has no secret yet; make one with POST /api/background/webhook-secret"])
    const first = String((yield* ada.post("/webhook-secret", {})).at("secret"))
    const second = String((yield* ada.post("/webhook-secret", {})).at("secret"))
    yield* ada.post("/tasks/webhook-delivery", message)
    const { order, task } = yield* worker.nextOrder
    if (order._tag !== "Send") return assert.fail("it is to be sent")
    for (const secret of [first, second]) assert.deepStrictEqual(yield* verifyWebhook(secret, order.headers, order.body), { n: 1 })
    yield* worker.complete(task, result)
    const third = String((yield* ada.post("/webhook-secret", { previous_valid_for: 0 })).at("secret"))
    yield* ada.post("/tasks/webhook-delivery", message)
    const later = yield* worker.nextOrder
    if (later.order._tag !== "Send") return assert.fail("it is to be sent")
    assert.deepStrictEqual(yield* verifyWebhook([first, third], later.order.headers, later.order.body), { n: 1 })
    for (const gone of [first, second]) assert.strictEqual((yield* Effect.flip(verifyWebhook(gone, later.order.headers, later.order.body)))._tag, "WebhookRefused")
    yield* worker.complete(later.task, result)
  }), 60_000)

  it.effect("waits as long as the receiver asks before it is tried again, and keeps its id", () => Effect.gen(function*() {
    const ada = yield* person()
    const worker = yield* courier
    const accepted = yield* ada.post("/tasks/webhook-delivery", {
      webhook_url: "https://example.com/webhook", data: 1, retry_policy: { base_delay: 0, max_retries: 2 }
    })
    const first = yield* worker.nextOrder
    yield* worker.report(first.task, { _tag: "Failed", error: "answered 503", retryable: true, retry_after: 600_000, detail: failedWith(503) })
    const waiting = yield* ada.get(`/tasks/${String(accepted.at("task_id"))}`)
    const seconds = (Date.parse(String(waiting.at("run_at"))) - Date.now()) / 1_000
    assert.isTrue(seconds > 580 && seconds <= 600, `${seconds}`)
    assert.deepInclude((yield* delivery(ada, accepted.at("delivery_id"))).body, { status: "pending", attempts: 1, last_status_code: 503 })
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE task_queue SET run_at = now() WHERE id = (SELECT id FROM tasks WHERE task_id = ${String(accepted.at("task_id"))})`
    const second = yield* worker.nextOrder
    assert.deepStrictEqual([second.task.attempt, second.order], [2, first.order])
    yield* worker.report(second.task, { _tag: "Failed", error: "answered 500", retryable: false, detail: failedWith(500) })
    const ended = yield* eventually(delivery(ada, accepted.at("delivery_id")), (seen) => seen.at("status") === "failed")
    assert.deepStrictEqual([ended.at("log", 0, "status_code"), ended.at("log", 1, "status_code")], [503, 500])
    const again = yield* ada.post(`/webhook-deliveries/${String(accepted.at("delivery_id"))}/redeliver`)
    assert.deepStrictEqual([again.status, again.at("webhook_id")], [202, accepted.at("webhook_id")])
    assert.strictEqual((yield* ada.post(`/webhook-deliveries/${String(accepted.at("delivery_id"))}/redeliver`)).error, "the message is still on its way")
    const third = yield* worker.nextOrder
    assert.deepStrictEqual(third.order, first.order)
    yield* worker.complete(third.task, result)
    assert.deepInclude((yield* delivery(ada, accepted.at("delivery_id"))).body, { status: "delivered", attempts: 3 })
  }), 60_000)

  it.effect("is refused for a URL, headers or data that cannot be", () => Effect.gen(function*() {
    const ada = yield* person()
    const good = { webhook_url: "https://example.com/webhook", data: {} }
    const wrong: ReadonlyArray<readonly [Record<string, unknown>, number, string]> = [
      [{ webhook_url: "http://example.com/" }, 400, "webhook_url: must begin with https://"],
      [{ webhook_url: "https://user:pw@example.com/" }, 400, "webhook_url: must not hold a user name or password"],
      [{ webhook_url: "https://0x7f.1/" }, 400, "webhook_url: must not name this machine, or a private or reserved address"],
      [{ webhook_url: "https://[::ffff:10.0.0.1]/" }, 400, "webhook_url: must not name this machine, or a private or reserved address"],
      [{ webhook_url: "example" }, 400, "webhook_url: must be an absolute URL, such as https://example.com/hook"],
      [{ headers: { host: "other" } }, 400, "headers.host: is set by EngLog itself"],
      [{ headers: { "Webhook-Id": "x" } }, 400, "headers.Webhook-Id: is set by EngLog itself"],
      [{ headers: { "a b": "x" } }, 400, "headers.a b: is no name of a header"],
      [{ headers: { a: "x\r\nb: c" } }, 400, "headers.a: must have at most 1000 printable ASCII characters"],
      [{ headers: { a: "1", A: "2" } }, 400, "headers: must not name one header twice"],
      [{ data: "x".repeat(262_143) }, 413, "data: must be at most 262144 bytes as JSON"],
      [{ delay: 1, run_at: "2026-01-01T00:00:00Z" }, 400, "delay: must not be given together with run_at"]
    ]
    for (const [part, status, error] of wrong) {
      const answer = yield* ada.post("/tasks/webhook-delivery", { ...good, ...part })
      assert.deepStrictEqual([answer.status, answer.error], [status, error])
    }
    const bySubmission = yield* ada.submit({ task_type: "webhook_delivery", payload: {} })
    assert.deepStrictEqual([bySubmission.status, bySubmission.error], [400, "task_type: webhook_delivery is submitted at /api/background/tasks/webhook-delivery"])
    assert.deepStrictEqual((yield* ada.get("/webhook-deliveries")).body, { items: [], next_cursor: null })
  }), 60_000)

  it.effect("of another organization does not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* person(), yield* person()]
    const accepted = yield* ada.post("/tasks/webhook-delivery", { webhook_url: "https://example.com/webhook", data: {}, queue: "elsewhere" })
    const id = String(accepted.at("delivery_id"))
    assert.deepStrictEqual([(yield* delivery(eve, id)).status, (yield* delivery(ada, id)).status], [404, 200])
    assert.strictEqual((yield* eve.post(`/webhook-deliveries/${id}/redeliver`)).status, 404)
    yield* ada.post(`/tasks/${String(accepted.at("task_id"))}/cancel`)
    assert.deepInclude((yield* delivery(ada, id)).body, { status: "cancelled" })
  }), 60_000)
})
