import { ExternalSync, SyncInput } from "@englog/domain/tasks/ExternalSync"
import { externalSync } from "@englog/worker/handlers/ExternalSync"
import type { TaskContext } from "@englog/worker/handlers/TaskHandler"
import { GuardedFetch } from "@englog/worker/web/GuardedFetch"
import { N8nFetch } from "@englog/worker/web/N8nFetch"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Schema } from "effect"
import { task } from "../support/FakeApi.ts"
import { type Answer, httpServer } from "../support/WebServer.ts"

const encodeInput = Schema.encodeSync(Schema.fromJsonString(SyncInput))
const payload = JSON.stringify({ connection_id: "3a1c8e54-8a9e-4f5b-9a53-0d7c1b7f2a44", sync_type: "user_registration", path: null, test: false })

const handedTo = Effect.fnUntraced(function*(answer: Answer) {
  const port = yield* httpServer(answer)
  const input = encodeInput({ _tag: "Send", url: `http://127.0.0.1:${port}/webhook/a`, headers: {}, body: "{}", timeout: 20 })
  const handler = yield* externalSync
  const context: TaskContext = {
    progress: () => Effect.void, data: Effect.succeed(input), dataPart: () => Effect.succeedNone, timeLeft: Effect.succeed(Duration.infinity), begin: Effect.succeed({ granted: true, reason: "" }), store: () => Effect.void, note: () => Effect.void
  }
  const message = task("a", { kind: ExternalSync.kind, payload })
  return message._tag === "Task" ? yield* handler.run(message.task, context) : yield* Effect.die("no task")
}, Effect.scoped, Effect.provide(Layer.effect(N8nFetch, Effect.map(GuardedFetch.make({ allowPrivate: true }), ({ fetch }) => N8nFetch.of({ fetch })))))

describe("data for n8n", () => {
  it.live("are tried again no sooner than the server before the workflow asks for", () => Effect.gen(function*() {
    const cases = [
      { status: 429, headers: { "retry-after": "600" }, retryable: true, retry_after: 600_000 },
      { status: 503, headers: { "retry-after": "7" }, retryable: true, retry_after: 7_000 },
      { status: 500, headers: {}, retryable: true, retry_after: 0 },
      { status: 404, headers: {}, retryable: false, retry_after: 0 }
    ] as const
    for (const { headers, retry_after, retryable, status } of cases) {
      const failure = yield* Effect.flip(handedTo((_, response) => response.writeHead(status, headers).end("{}")))
      assert.deepInclude(failure, { retryable, retry_after }, String(status))
      assert.match(failure.message, new RegExp(`^n8n answered ${status}: `))
    }
  }))
})
