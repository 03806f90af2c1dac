/** Where the RPCs are served: `/rpc` over HTTP, `/rpc-ws` over a WebSocket, both as newline-delimited JSON. */
import { EngLogRpcs } from "@englog/rpc/rpc/EngLogRpcs"
import { Layer } from "effect"
import { RpcSerialization, RpcServer } from "effect/rpc"

export const RpcEndpoints = Layer.mergeAll(
  RpcServer.layerHttp({ group: EngLogRpcs, path: "/rpc", protocol: "http" }),
  RpcServer.layerHttp({ group: EngLogRpcs, path: "/rpc-ws", protocol: "websocket" })
).pipe(Layer.provide(RpcSerialization.layerNdjson))
