import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { HttpListener } from "../../src/http/edge/HttpListener.ts"
import { RequestLimits } from "../../src/http/edge/RequestLimits.ts"

const unlimited = Layer.succeed(RequestLimits, { ofAddress: () => Effect.undefined, ofUser: () => Effect.undefined })

const quiet = HttpRouter.add("GET", "/quiet", HttpServerResponse.stream(Stream.never, { contentType: "text/event-stream" }))

const Server = HttpListener.serve(quiet).pipe(
  Layer.provideMerge(HttpListener.layer({ host: "127.0.0.1", port: 0, drain: "100 millis" })),
  Layer.provideMerge(NodeHttpClient.layerNodeHttp),
  Layer.provide(unlimited)
)

layer(Server, { excludeTestServices: true, timeout: "60 seconds" })("an event stream", (it) => {
  it.effect("is open before anything happens", () => Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    const response = yield* HttpClient.get(`http://127.0.0.1:${"port" in address ? address.port : 0}/quiet`).pipe(Effect.timeout("10 seconds"))
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.headers["content-type"], "text/event-stream")
    assert.strictEqual(response.headers["x-content-type-options"], "nosniff")
  }).pipe(Effect.scoped))
})
