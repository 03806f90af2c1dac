/**
 * The walls before the first line of a request is understood: how many connections there may be, how slowly they may speak,
 * how much they may say. What breaks them is answered by MalformedRequests.
 */
import { Duration, Effect, Queue } from "effect"
import { createServer, type Server } from "node:http"
import { largeBodyOf } from "../RouteTable.ts"
import { answerMalformed, strict } from "./MalformedRequests.ts"
import { headerBytesLimit } from "./RequestBounds.ts"
import { watchSlowClients } from "./SlowClients.ts"

export interface ConnectionBounds {
  /** Open at a time; one more is closed as soon as it opens. */
  readonly connections: number
  /** Until the head of a request is there, counted from when the connection opened or the request began. */
  readonly head: Duration.Duration
  /** Until its body is there too. */
  readonly request: Duration.Duration
  /** Likewise, where it may be larger than usual. */
  readonly upload: Duration.Duration
  /** Between two requests of one connection. */
  readonly idle: Duration.Duration
  /** Without taking anything of the answer. */
  readonly stall: Duration.Duration
}

/** The largest body within 30 s is 35 kB/s, the largest upload within its ten minutes 87 kB/s. An answer may take as long as it likes, and its reader too who reads at all. */
export const connectionBounds: ConnectionBounds = {
  connections: 5_000,
  head: Duration.seconds(10),
  request: Duration.seconds(30),
  upload: Duration.minutes(10),
  idle: Duration.seconds(5),
  // Two pings of an event stream.
  stall: Duration.seconds(30)
}

/** A server that does not listen yet. */
export const guardedServer = Effect.fnUntraced(function*(bounds: ConnectionBounds) {
  const head = Duration.toMillis(bounds.head)
  const bare = createServer({
    ...strict,
    maxHeaderSize: headerBytesLimit,
    headersTimeout: head,
    requestTimeout: Duration.toMillis(Duration.max(bounds.request, bounds.upload)),
    keepAliveTimeout: Duration.toMillis(bounds.idle),
    connectionsCheckingInterval: Math.ceil(head / 10)
  })
  const server = watchSlowClients(watchSlowBodies(answerMalformed(bare), bounds.request), bounds.stall)
  // Node would drop the lines beyond a count unseen: they are counted where they can be refused (RequestBounds).
  server.maxHeadersCount = 0
  server.maxConnections = bounds.connections

  const dropped = yield* Queue.sliding<void>(1)
  server.on("drop", () => Queue.offerUnsafe(dropped, undefined))
  const tell = Effect.logWarning(`${bounds.connections} connections are open: further ones are closed; said once a minute`).pipe(
    Effect.annotateLogs({ component: "http", operation: "connect" })
  )
  yield* Effect.forkScoped(Effect.forever(Queue.take(dropped).pipe(Effect.andThen(tell), Effect.andThen(Effect.sleep("1 minute")))))
  return server
})

/** Node has one limit for all requests: the one that is meant for large bodies. Others are ended as it would end them, but earlier. */
const watchSlowBodies = (server: Server, limit: Duration.Duration): Server =>
  server.on("request", (request) => {
    if (largeBodyOf({ method: request.method ?? "", url: request.url ?? "" }) !== undefined || !("content-length" in request.headers || "transfer-encoding" in request.headers)) return
    const end = setTimeout(() => {
      if (!request.complete) server.emit("clientError", Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), request.socket)
    }, Duration.toMillis(limit))
    request.once("close", () => clearTimeout(end))
  })
