/**
 * A ready RPC client: give it the server's address and who you are, and call typed methods. It logs in when first needed
 * and again before its access token expires. Background tasks of any kind are typed by it: `submit(Kind, payload)`.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Layer, type Redacted } from "effect"
import { FetchHttpClient, Headers } from "effect/http"
import { RpcClient, type RpcClientError, RpcMiddleware, RpcSerialization } from "effect/rpc"
import { EngLogRpcs } from "../rpc/EngLogRpcs.ts"
import { RpcAuthorization } from "../rpc/RpcAuthorization.ts"
import { AccessToken, type Credentials } from "./AccessToken.ts"
import { type Conveniences, conveniences } from "./Conveniences.ts"
import { type KnowledgeClient, knowledgeClient } from "./KnowledgeClient.ts"
import { UploadClient } from "./UploadClient.ts"
import { type TypedTasks, typedTasks } from "./TypedTasks.ts"

export interface EngLogClientOptions {
  /** Origin of the API, e.g. `http://127.0.0.1:8080`. */
  readonly url: string
  /** An account, an API token, or an access token that somebody else looks after. */
  readonly auth: Credentials | Redacted.Redacted<string>
  /** `http` (default): one request per call. `websocket`: all calls and streams over one connection that heals itself. */
  readonly transport?: "http" | "websocket"
}

export class EngLogClient extends Context.Service<
  EngLogClient,
  RpcClient.FromGroup<typeof EngLogRpcs, RpcClientError.RpcClientError> & TypedTasks & Conveniences & KnowledgeClient & UploadClient["Service"]
>()("@englog/rpc/client/EngLogClient") {
  static readonly layer = (options: EngLogClientOptions): Layer.Layer<EngLogClient> =>
    Layer.effect(EngLogClient, Effect.zipWith(RpcClient.make(EngLogRpcs), UploadClient, (calls, uploads) => {
      const typed = typedTasks(calls)
      return { ...calls, ...typed, ...conveniences(calls, typed), ...knowledgeClient(calls, typed), ...uploads }
    })).pipe(
      Layer.provide([authorization, UploadClient.layer(options.url)]),
      Layer.provide(AccessToken.layer(options.url, options.auth)),
      Layer.provide(options.transport === "websocket" ? overWebSocket(options.url) : overHttp(options.url))
    )
}

const authorization = Layer.unwrap(Effect.map(AccessToken, (token) =>
  RpcMiddleware.layerClient(RpcAuthorization, ({ next, request }) =>
    token.current.pipe(
      Effect.flatMap((value) => next({ ...request, headers: Headers.set(request.headers, "authorization", `Bearer ${value}`) }))
    ))))

const origin = (url: string) => url.replace(/\/+$/, "")

const overHttp = (url: string) =>
  RpcClient.layerProtocolHttp({ url: `${origin(url)}/rpc` }).pipe(
    Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
  )

const overWebSocket = (url: string) =>
  RpcClient.layerProtocolSocket({ retryTransientErrors: true }).pipe(
    Layer.provide([NodeSocket.layerWebSocket(`${origin(url).replace(/^http/, "ws")}/rpc-ws`), RpcSerialization.layerNdjson])
  )
