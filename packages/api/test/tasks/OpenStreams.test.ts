import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { TaskId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { HttpServer } from "effect/http"
import { RecheckInterval, StreamCut, streamEnd } from "../../src/http/OpenStreams.ts"
import { streamCut, streamFailure } from "../../src/rpc/RpcFailures.ts"
import { TestApi } from "../http/TestApi.ts"
import { accepted, author } from "../support/Narration.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const world = wholeApi().pipe(Layer.provide(Layer.succeed(RecheckInterval, "100 millis")))

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("an event stream", (it) => {
  it.effect("ends with an event that says so, soon after the session of its token has ended", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* author()
    const task_id = yield* accepted(yield* ada.requestInsight())
    const stream = yield* Effect.forkChild(ada.get(`/v1/tasks/${task_id}/stream`))
    yield* eventually(ask("GET", "/health"), (health) => health.at("components", "streams", "detail") === "1 event streams are open")
    yield* ada.post("/v1/auth/logout", { refresh_token: ada.refresh })
    const { text } = yield* Effect.timeout(Fiber.join(stream), "10 seconds")
    const [, end = ""] = /event: queued\n[^]*event: unauthorized\ndata: (.*)\n\n$/.exec(text) ?? []
    assert.deepStrictEqual(JSON.parse(end), {
      message: "authorization: the session has ended; log in again",
      code: "unauthenticated",
      details: [{ field: "authorization", reason: "the session has ended; log in again" }]
    })
  }))

  it.effect("over RPC fails with the code and the details that a call would have been refused with", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* author()
    const task_id = TaskId.make(yield* accepted(yield* ada.requestInsight()))
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const context = yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(ada.token), transport: "http" }))
    const client = yield* Effect.provide(EngLogClient, context)
    const watching = yield* Effect.forkChild(Effect.flip(Stream.runDrain(client.WatchTask({ task_id }))))
    yield* eventually(ask("GET", "/health"), (health) => health.at("components", "streams", "detail") === "1 event streams are open")
    yield* ada.post("/v1/auth/logout", { refresh_token: ada.refresh })
    assert.deepInclude(yield* Effect.timeout(Fiber.join(watching), "10 seconds"), {
      reason: "unauthorized", code: "unauthenticated", details: [{ field: "authorization", reason: "the session has ended; log in again" }]
    })
  }))

  it("that a stopping server ends says so, and in how many seconds to go on", () => {
    const cut = new StreamCut({ reason: "stopping", message: "the server is stopping", code: "stopping", retry_after: 1 })
    assert.deepStrictEqual(streamEnd(cut), { message: "the server is stopping", code: "stopping", details: [{ retry_after: 1 }] })
    for (const failure of [streamCut(cut, ""), streamFailure(cut)]) {
      assert.deepInclude(failure, { reason: "unavailable", code: "stopping", details: [{ retry_after: 1 }], retry_after: 1 })
    }
  })
})
