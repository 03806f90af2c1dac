import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { HttpListener } from "../../src/http/edge/HttpListener.ts"

describe("the listening socket", () => {
  it.live("takes a free port, and says clearly when its port is taken", () => Effect.scoped(Effect.gen(function*() {
    const first = yield* Layer.build(HttpListener.layer({ host: "127.0.0.1", port: 0 }))
    const { address } = yield* Effect.provide(HttpServer.HttpServer, first)
    const port = "port" in address ? address.port : 0
    assert.isAbove(port, 0)
    const error = yield* Effect.flip(Layer.build(HttpListener.layer({ host: "127.0.0.1", port })))
    assert.strictEqual(
      error.message,
      `Cannot listen on 127.0.0.1:${port}: something else listens there already. Set HTTP_PORT or HTTP_HOST to something else.`
    )
  })))
})
