/** Where the RPCs are served: `/rpc` over HTTP, `/rpc-ws` over a WebSocket, both as newline-delimited JSON. */
import { EngLogRpcs } from "@englog/rpc/rpc/EngLogRpcs"
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { rpcPath, webSocketPath } from "../http/RouteTable.ts"
import { checkedCalls, readableCalls, strictNdjson, webSocketOnly } from "./RpcEdge.ts"

const overHttp = Effect.gen(function*() {
  const { httpEffect, protocol } = yield* RpcServer.makeProtocolWithHttpEffect()
  const router = yield* HttpRouter.HttpRouter
  yield* router.add("POST", rpcPath, readableCalls(httpEffect))
  return checkedCalls(protocol)
})

const overWebSocket = Effect.gen(function*() {
  const { httpEffect, protocol } = yield* RpcServer.makeProtocolWithHttpEffectWebsocket
  const router = yield* HttpRouter.HttpRouter
  yield* router.add("GET", webSocketPath, webSocketOnly(httpEffect))
  return checkedCalls(protocol)
})

const served = (protocol: typeof overHttp | typeof overWebSocket) =>
  RpcServer.layer(EngLogRpcs, { disableFatalDefects: true }).pipe(
    Layer.provide(Layer.effect(RpcServer.Protocol, protocol))
  )

export const RpcEndpoints = Layer.mergeAll(served(overHttp), served(overWebSocket)).pipe(
  Layer.provide(Layer.succeed(RpcSerialization.RpcSerialization, strictNdjson))
)
