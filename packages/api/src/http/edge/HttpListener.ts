/**
 * The listening socket, and the server that answers on it. A port that is taken stops the start with a sentence.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { type Duration, Effect, Layer, Predicate, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { type ConnectionBounds, connectionBounds, guardedServer } from "./ConnectionGuards.ts"
import { HttpEdge } from "./HttpEdge.ts"
import { bodyLimit } from "./RequestBounds.ts"

export class HttpListenError extends Schema.TaggedError<HttpListenError>()("HttpListenError", {
  host: Schema.String,
  port: Schema.Int,
  message: Schema.String,
  cause: Schema.Defect()
}) {}

export interface HttpListenerOptions {
  readonly host: string
  /** 0 takes a free one; `HttpServer.HttpServer` knows which. */
  readonly port: number
  /** How long open requests and streams may go on when the server stops; default 5 seconds. */
  readonly drain?: Duration.Input
  /** Default: `connectionBounds`. */
  readonly bounds?: ConnectionBounds
}

const layer = (options: HttpListenerOptions) =>
  Layer.unwrap(Effect.map(guardedServer(options.bounds ?? connectionBounds), (server) =>
    NodeHttpServer.layer(() => server, {
      host: options.host,
      port: options.port,
      gracefulShutdownTimeout: options.drain ?? "5 seconds",
      websocket: { maxPayload: bodyLimit }
    }))).pipe(
    Layer.catch(({ cause }) => Layer.effectContext(Effect.fail(listenError(options, cause))))
  )

const reasons = new Map([
  ["EADDRINUSE", "something else listens there already"],
  ["EACCES", "this user may not listen there"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["ENOTFOUND", "there is no such host"]
])

const listenError = ({ host, port }: HttpListenerOptions, cause: unknown) => {
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : ""
  const reason = reasons.get(code) ?? String(cause)
  return new HttpListenError({
    host,
    port,
    cause,
    message: `Cannot listen on ${host}:${port}: ${reason}. Set HTTP_PORT or HTTP_HOST to something else.`
  })
}

/** Serves the routes behind the edge. */
const serve = <A, E, R>(routes: Layer.Layer<A, E, R>) =>
  HttpRouter.serve(Layer.mergeAll(routes, HttpEdge.layer), {
    disableLogger: true,
    disableListenLog: true,
    routerConfig: { maxParamLength: 500 }
  }).pipe(Layer.provide(HttpEdge.tracing))

export const HttpListener = { layer, serve } as const
