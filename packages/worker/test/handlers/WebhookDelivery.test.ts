import { FailedDelivery, WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import type { TaskContext } from "@englog/worker/handlers/TaskHandler"
import { webhookDelivery } from "@englog/worker/handlers/WebhookDelivery"
import { GuardedFetch } from "@englog/worker/web/GuardedFetch"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Schema } from "effect"
import { task } from "../support/FakeApi.ts"
import { type Answer, bodyOf, httpServer } from "../support/WebServer.ts"

const decodeDetail = Schema.decodeUnknownSync(Schema.fromJsonString(FailedDelivery))

const run = Effect.fnUntraced(function*(order: Record<string, unknown>) {
  const handler = yield* webhookDelivery
  const context: TaskContext = {
    progress: () => Effect.void, data: Effect.succeed(JSON.stringify(order)), dataPart: () => Effect.succeedNone, timeLeft: Effect.succeed(Duration.infinity), begin: Effect.succeed({ granted: true, reason: "" }), store: () => Effect.void, note: () => Effect.void
  }
  const message = task("a", { kind: WebhookDelivery.kind, payload: "{\"delivery_id\":\"3a1c8e54-8a9e-4f5b-9a53-0d7c1b7f2a44\"}" })
  return message._tag === "Task" ? yield* handler.run(message.task, context) : yield* Effect.die("no task")
}, Effect.provide(Layer.effect(GuardedFetch, GuardedFetch.make({ allowPrivate: true }))))

const sentTo = Effect.fnUntraced(function*(answer: Answer) {
  const port = yield* httpServer(answer)
  return yield* run({ _tag: "Send", url: `http://127.0.0.1:${port}/`, headers: { "webhook-id": "msg_1" }, body: "{\"n\":1}" })
}, Effect.scoped)

describe("a webhook's attempt", () => {
  it.live("sends what it was given, and tells both heads and the answer", () => Effect.gen(function*() {
    const told = JSON.parse(yield* sentTo((request, response) => {
      bodyOf(request, (body) => response.setHeader("x-seen", `${request.method} ${String(request.headers["webhook-id"])}`).end(body))
    }))
    assert.deepInclude(told, { status_code: 200, error: null, response_body: "{\"n\":1}", request_headers: { "webhook-id": "msg_1" } })
    assert.strictEqual(told.response_headers["x-seen"], "POST msg_1")
  }))

  it.live("fails for anything but 2xx, follows no redirect, and passes on how long to wait", () => Effect.gen(function*() {
    const cases = [
      { status: 500, headers: {}, retryable: true, retry_after: 0, message: "the receiver answered 500" },
      { status: 429, headers: { "retry-after": "7" }, retryable: true, retry_after: 7_000, message: "the receiver answered 429" },
      { status: 302, headers: { location: "/other" }, retryable: true, retry_after: 0, message: "the receiver answered 302: redirects are not followed" },
      { status: 410, headers: {}, retryable: false, retry_after: 0, message: "the receiver answered 410: it wants no more of these" }
    ] as const
    for (const { headers, message, retry_after, retryable, status } of cases) {
      const failure = yield* Effect.flip(sentTo((_, response) => response.writeHead(status, headers).end("no")))
      assert.deepInclude(failure, { message, retryable, retry_after })
      const detail = decodeDetail(failure.detail)
      assert.deepInclude(detail._tag === "Sent" ? detail.record : {}, { status_code: status, error: message, response_body: "no" })
    }
  }))

  it.live("tells of an answer that never came, and keeps the beginning of one that is too long", () => Effect.gen(function*() {
    const failure = yield* Effect.flip(sentTo((request) => void request.socket.destroy()))
    const detail = decodeDetail(failure.detail)
    assert.deepInclude(detail._tag === "Sent" ? detail.record : {}, { status_code: null, response_headers: null })
    assert.strictEqual(failure.retryable, true)
    const long = JSON.parse(yield* sentTo((_, response) => response.end("x".repeat(100_000))))
    assert.lengthOf(long.response_body, 4_096)
  }))

  it.live("does nothing where the endpoint is to be left alone, or the message is not to be sent", () => Effect.gen(function*() {
    const held = yield* Effect.flip(run({ _tag: "Hold", retry_after: 5_000 }))
    assert.deepStrictEqual([held.retry_after, decodeDetail(held.detail)], [5_000, { _tag: "Held" }])
    const refused = yield* Effect.flip(run({ _tag: "Refuse", reason: "its endpoint was deleted" }))
    assert.deepStrictEqual([refused.message, refused.retryable], ["its endpoint was deleted", false])
    const newer = yield* Effect.flip(run({ _tag: "Whisper" }))
    assert.include(newer.message, "update the worker")
  }))
})
