/** Where the RPCs are served: `/rpc` over HTTP, `/rpc-ws` over a WebSocket, both as newline-delimited JSON. */
import { EngLogRpcs } from "@englog/rpc/rpc/EngLogRpcs"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { OpenStreams } from "../http/OpenStreams.ts"
import { rpcPath, webSocketPath } from "../http/RouteTable.ts"
import { checkedCalls, readableCalls, strictNdjson, webSocketOnly } from "./RpcEdge.ts"

const overHttp = Effect.gen(function*() {
  const { httpEffect, protocol } = yield* RpcServer.makeProtocolWithHttpEffect()
  const router = yield* HttpRouter.HttpRouter
  yield* router.add("POST", rpcPath, readableCalls(httpEffect))
  return checkedCalls(protocol)
})

/**
 * A WebSocket stays open as long as its client likes; a server that stops does not wait for that. Calls that are under way
 * have so long left to finish.
 */
const LAST_WORD = "500 millis"

const overWebSocket = Effect.gen(function*() {
  const { httpEffect, protocol } = yield* RpcServer.makeProtocolWithHttpEffectWebsocket
  const router = yield* HttpRouter.HttpRouter
  const { ending } = yield* OpenStreams
  const closed = ending.pipe(Effect.andThen(Effect.sleep(LAST_WORD)), Effect.as(HttpServerResponse.empty({ status: 503 })))
  yield* router.add("GET", webSocketPath, Effect.raceFirst(webSocketOnly(httpEffect), closed))
  return checkedCalls(protocol)
})

const served = (protocol: typeof overHttp | typeof overWebSocket) =>
  RpcServer.layer(EngLogRpcs, { disableFatalDefects: true }).pipe(
    Layer.provide(Layer.effect(RpcServer.Protocol, protocol))
  )

export const RpcEndpoints = Layer.mergeAll(served(overHttp), served(overWebSocket)).pipe(
  Layer.provide(Layer.succeed(RpcSerialization.RpcSerialization, strictNdjson))
)
