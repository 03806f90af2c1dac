/** Webhooks between whole processes: API, workers of which one dies, and a receiver that fails. */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { verifyWebhook } from "@englog/rpc/client/WebhookSignature"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { WorkerId } from "@englog/domain/Ids"
import type { HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Context, Effect, Layer, Queue, Redacted, Schedule, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"
import { playWorker } from "../src/PlayedWorker.ts"
import { receiver } from "../src/Receiver.ts"

const open = { WEB_ALLOW_PRIVATE: "true", MAX_QUEUED_PER_ORGANIZATION: "0", MAX_QUEUED_PER_QUEUE: "0" }

const world = Installation.layer(open).pipe(Layer.provideMerge(Layer.mergeAll(FetchHttpClient.layer, NodeFileSystem.layer)))

const MESSAGES = 1_000

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("webhooks", (it) => {
  it.effect("reach a receiver that fails a fifth of the time, all of them, though a worker is killed: what comes twice comes under its id", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      // A fifth in a fixed order: three are answered 500, then one is cut off, then the next sixteen are accepted.
      const to = yield* receiver((n) => n % 20 === 3 ? "cut" : n % 20 < 3 ? "answered" : false)
      yield* installation.startWorker("stays", { WORKER_MAX_CONCURRENT: "20" })
      const dies = yield* installation.startWorker("dies", { WORKER_MAX_CONCURRENT: "20" })
      const ada = yield* register(api.url, "webhooks@example.com")
      const sent = yield* Effect.forEach(Array.from({ length: MESSAGES }, (_, n) => n), (n) =>
        Effect.map(ask("POST", `${api.url}/api/background/tasks/webhook-delivery`, {
          token: ada.token,
          body: { webhook_url: to.url, data: { n }, retry_policy: { max_retries: 30, base_delay: 0.05, backoff_factor: 1 } }
        }), ({ status, text }) => {
          assert.strictEqual(status, 202, text)
          const { webhook_id } = JSON.parse(text)
          return [String(webhook_id), n] as const
        }).pipe(Effect.tap(() => n === MESSAGES / 2 ? dies.end("SIGKILL") : Effect.void)), { concurrency: 20 })
      yield* Effect.sync(() => to.accepted.size).pipe(
        Effect.repeat({ until: (count) => count === MESSAGES, schedule: Schedule.spaced("50 millis") }),
        Effect.timeout("4 minutes"),
        Effect.catch(() => Effect.sync(() => assert.fail(`${to.accepted.size} of ${MESSAGES} came`)))
      )
      assert.isAbove(to.requests(), MESSAGES * 1.1, "it did fail")
      const expected = new Map(sent)
      assert.strictEqual(expected.size, MESSAGES)
      for (const [id, messages] of to.accepted) {
        for (const { body } of messages) assert.strictEqual(body, JSON.stringify({ n: expected.get(id) }))
      }
    }), 300_000)

  it.effect("show in their log an attempt whose worker was killed while it sent, and the one that followed", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startAnotherApi()
      const to = yield* receiver((n) => n === 1 ? "held" : false)
      const dies = yield* installation.startLonelyWorker("sends", { ...open, API_SERVER_GRPC_ADDRESS: api.grpc })
      const ada = yield* register(api.url, "killed@example.com")
      const client = yield* Layer.build(EngLogClient.layer({ url: api.url, auth: Redacted.make(ada.token) }))
      const englog = Context.get(client, EngLogClient)
      const { delivery_id } = yield* englog.SubmitWebhookDelivery({ webhook_url: to.url, data: 1 })
      yield* Effect.sync(to.requests).pipe(Effect.repeat({ until: (count) => count === 1, schedule: Schedule.spaced("20 millis") }), Effect.timeout("60 seconds"))
      const sending = yield* englog.GetWebhookDelivery({ id: delivery_id })
      assert.deepInclude(sending.log[0], { attempt: 1, state: "sending", duration_ms: null, status_code: null })
      assert.strictEqual(sending.attempts, 1)
      yield* dies.end("SIGKILL")
      yield* installation.startLonelyWorker("sends-again", { ...open, API_SERVER_GRPC_ADDRESS: api.grpc })
      const delivered = yield* englog.GetWebhookDelivery({ id: delivery_id }).pipe(
        Effect.repeat({ until: ({ status }) => status === "delivered", schedule: Schedule.spaced("100 millis") }),
        Effect.timeout("2 minutes")
      )
      assert.deepStrictEqual(delivered.log.map(({ attempt, state }) => [attempt, state]), [[1, "interrupted"], [2, "answered"]])
      assert.match(delivered.log[0]?.error ?? "", /nothing was heard of it/)
      assert.deepStrictEqual(delivered.log[0]?.at, sending.log[0]?.at, "it keeps the time at which it began")
      assert.strictEqual(delivered.attempts, 2)
    }), 300_000)

  it.effect("tell a first endpoint of what another API server completes right after it was registered, of a task that was handed out before", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const [here, there] = [yield* installation.startAnotherApi(), yield* installation.startAnotherApi()]
      const worker = yield* playWorker(there.grpc, WorkerId.make("there"), { kinds: ["PLAIN_WORK"] })
      const handed = yield* Queue.unbounded<HeldTask>()
      yield* worker.tasks.pipe(
        Stream.runForEach((message) => message._tag === "Task" ? Queue.offer(handed, message.task) : Effect.void),
        Effect.forkScoped
      )
      for (let n = 0; n < 10; n++) {
        const ada = yield* register(there.url, `first-${n}@example.com`)
        const { status, text } = yield* ask("POST", `${there.url}/api/background/tasks`, { token: ada.token, body: { task_type: "plain_work", payload: {} } })
        assert.strictEqual(status, 202, text)
        const held = yield* Queue.take(handed)
        const client = yield* Layer.build(EngLogClient.layer({ url: here.url, auth: Redacted.make(ada.token) }))
        const englog = Context.get(client, EngLogClient)
        const { id } = yield* englog.CreateWebhook({ url: "https://example.com/hook", events: ["task.completed"] })
        yield* worker.report(held, {})
        const { items } = yield* englog.ListWebhookDeliveries({ endpoint_id: id })
        assert.deepStrictEqual(items.map(({ event_type }) => event_type), ["task.completed"])
      }
    }), 300_000)

  it.effect("tell an endpoint of an insight that is stored, signed so that the client package verifies it", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const to = yield* receiver(() => false)
      yield* installation.startWorker("writes")
      const ada = yield* register(api.url, "endpoint@example.com")
      const client = yield* Layer.build(EngLogClient.layer({ url: api.url, auth: Redacted.make(ada.token) }))
      const englog = Context.get(client, EngLogClient)
      const { id, secret } = yield* englog.CreateWebhook({ url: to.url, events: ["insight.created"] })
      const task = yield* ada.submit([yield* ada.addEntry({})])
      yield* ada.ended(task)
      const [[webhook_id, messages] = ["", []]] = yield* Effect.sync(() => [...to.accepted]).pipe(
        Effect.repeat({ until: (all) => all.length > 0, schedule: Schedule.spaced("20 millis") }),
        Effect.timeout("20 seconds")
      )
      const [message] = messages
      if (message === undefined) return assert.fail("nothing came")
      const event = Object(yield* verifyWebhook(secret, message.headers, message.body))
      assert.deepStrictEqual([event.type, event.data.task_id, typeof event.data.insight_id], ["insight.created", task, "string"])
      const once = yield* englog.submitWebhookDelivery({ webhook_url: to.url, data: { once: true } })
      assert.strictEqual((yield* once.result).status_code, 200)
      const page = yield* englog.ListWebhookDeliveries({ endpoint_id: id })
      assert.deepStrictEqual(page.items.map((one) => [one.webhook_id, one.status, one.event_type]), [[webhook_id, "delivered", "insight.created"]])
    }), 300_000)
})
