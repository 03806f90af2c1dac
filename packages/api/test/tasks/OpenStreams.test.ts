import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { RecheckInterval } from "../../src/http/OpenStreams.ts"
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
    assert.match(text, /event: queued\n[^]*event: unauthorized\ndata: \{"message":"authorization: the session has ended; log in again"\}\n\n$/)
  }))
})
