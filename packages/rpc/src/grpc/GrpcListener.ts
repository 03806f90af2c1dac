/**
 * Accepts the connections of a gRPC server. Its own sockets, not grpc-js's, because only then can it tell TLS from plain text
 * by the first byte, say in the log what is wrong with a connection, bound connections per address, and hang up.
 *
 * A connection that speaks HTTP/2 but may not be used (no or a wrong client certificate, plain text where TLS is spoken) is
 * handed over all the same, with a verdict: its calls are answered UNAUTHENTICATED with that sentence, and soon it is closed.
 */
import { Clock, Context, Duration, Effect, FiberSet, type Option, Schema, type Scope } from "effect"
import * as net from "node:net"
import * as Complaints from "./Complaints.ts"
import { peerOf, recognizer } from "./ConnectionProtocol.ts"
import type { ServerTls } from "./GrpcTls.ts"
import { type Rate, TokenBuckets } from "./TokenBucket.ts"

export interface ListenerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** None: plain text. */
  readonly tls: Option.Option<ServerTls>
}

export interface GrpcListener {
  /**
   * Listens as long as the scope lives, and answers the port. Its end stops intake; open connections belong to `accept`,
   * which takes over those that speak HTTP/2.
   */
  readonly listen: (accept: (socket: net.Socket) => void) => Effect.Effect<number, GrpcBindError, Scope.Scope>
  /** Why a connection may not be used. `peer`: address and port, as grpc-js names it. */
  readonly verdict: (peer: string) => string | undefined
  /** Notes a call that was refused for the caller's own fault. A connection that keeps making such calls is closed. */
  readonly strike: (peer: string) => Effect.Effect<void>
}

/** The server could not start on this address. */
export class GrpcBindError extends Schema.TaggedError<GrpcBindError>()("GrpcBindError", {
  reason: Schema.Literals(["AddressInUse", "PermissionDenied", "AddressNotAvailable", "Other"]),
  host: Schema.String,
  port: Schema.Int,
  message: Schema.String,
  cause: Schema.Defect()
}) {}

/** How much of the server one address may have. Not configuration: only tests set other ones. */
export const ConnectionLimits = Context.Reference<{
  /** Open at a time. Honest workers have one each, and many may share an address. */
  readonly perAddress: number
  readonly rate: Rate
  /** Refused calls of one address; a worker back from an outage may have hundreds of reports that nobody waits for. */
  readonly strikes: Rate
  /** Connections that were closed for their strikes: beyond this, the next one of the address waits to be served. */
  readonly closed: Rate
  /** From connecting to the first byte of HTTP/2. */
  readonly handshake: Duration.Duration
  /** For a connection that may not be used, to hear why. */
  readonly verdict: Duration.Duration
}>("@englog/rpc/grpc/ConnectionLimits", {
  defaultValue: () => ({
    perAddress: 256,
    rate: { capacity: 500, perSecond: 50 },
    strikes: { capacity: 2_000, perSecond: 100 },
    closed: { capacity: 1, perSecond: 1 },
    handshake: Duration.seconds(10),
    verdict: Duration.seconds(5)
  })
})

export const make = Effect.fnUntraced(function*(options: ListenerOptions): Effect.fn.Return<GrpcListener, never, Scope.Scope> {
  const limits = yield* ConnectionLimits
  const fibers = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(fibers)()
  const open = new Map<string, net.Socket>()
  const verdicts = new Map<string, string>()
  const perAddress = new Map<string, number>()
  const connections = new TokenBuckets(limits.rate)
  const strikes = new TokenBuckets(limits.strikes)
  const closed = new TokenBuckets(limits.closed)
  const complain = yield* Complaints.make
  const say = (address: string, why: string) =>
    complain(`refused a connection from ${address}: ${why}`, { component: "grpc_server", operation: "accept", address })
  const recognize = recognizer(options.tls, limits.handshake)

  const admit = Effect.fnUntraced(function*(socket: net.Socket, address: string, accept: (socket: net.Socket) => void) {
    const now = yield* Clock.currentTimeMillis
    if ((perAddress.get(address) ?? 0) > limits.perAddress) {
      return yield* say(address, `it has ${limits.perAddress} connections open already`)
    }
    if (!connections.of(address, now).take(now)) return yield* say(address, "it connects again and again")
    yield* Effect.sleep(closed.of(address, now).wait(now))
    const protocol = yield* recognize(socket)
    if (protocol._tag === "None") return protocol.why === undefined ? undefined : yield* say(address, protocol.why)
    const peer = peerOf(socket)
    if (protocol.verdict !== undefined) {
      verdicts.set(peer, protocol.verdict)
      yield* say(address, protocol.verdict)
      fork(Effect.delay(Effect.sync(() => socket.destroy()), limits.verdict))
    }
    open.set(peer, socket)
    socket.once("close", () => {
      open.delete(peer)
      verdicts.delete(peer)
    })
    accept(protocol.socket)
  })

  const connected = (accept: (socket: net.Socket) => void) => (socket: net.Socket): void => {
    const address = socket.remoteAddress ?? "unknown"
    // Whoever reads the socket hears of its end; an error without a listener would end the process.
    socket.on("error", () => {})
    socket.once("close", () => {
      const left = (perAddress.get(address) ?? 1) - 1
      if (left === 0) perAddress.delete(address)
      else perAddress.set(address, left)
    })
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
    fork(admit(socket, address, accept).pipe(Effect.tap(() => open.has(peerOf(socket)) ? Effect.void : Effect.sync(() => socket.destroy()))))
  }

  return {
    listen: (accept) =>
      Effect.acquireRelease(
        Effect.sync(() => net.createServer({ noDelay: true }, connected(accept))),
        (server) => Effect.sync(() => server.close())
      ).pipe(Effect.flatMap((server) => bind(server, options))),
    verdict: (peer) => verdicts.get(peer),
    strike: Effect.fnUntraced(function*(peer) {
      const socket = open.get(peer)
      const address = socket?.remoteAddress
      const now = yield* Clock.currentTimeMillis
      if (socket === undefined || address === undefined || strikes.of(address, now).take(now)) return
      socket.destroy()
      closed.of(address, now).take(now)
      yield* say(address, "thousands of its calls had to be refused; look at the worker there")
    })
  }
})

const bind = (server: net.Server, { host, port }: ListenerOptions) =>
  Effect.callback<number, GrpcBindError>((resume) => {
    server.once("error", (error) => resume(Effect.fail(bindError(error, host, port))))
    server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port }, () => {
      const bound = server.address()
      resume(Effect.succeed(bound !== null && typeof bound === "object" ? bound.port : port))
    })
  })

const bindError = (cause: Error, host: string, port: number): GrpcBindError => {
  const fail = (reason: GrpcBindError["reason"], message: string) => new GrpcBindError({ reason, host, port, message, cause })
  if (cause.message.includes("EADDRINUSE")) {
    return fail("AddressInUse", `gRPC port ${port} on ${host} is taken by another process; set GRPC_PORT to a free one`)
  }
  if (cause.message.includes("EACCES")) {
    return fail("PermissionDenied", `no permission to listen on gRPC port ${port}; set GRPC_PORT above 1023`)
  }
  if (cause.message.includes("EADDRNOTAVAIL") || cause.message.includes("ENOTFOUND")) {
    return fail("AddressNotAvailable", `${host} is not an address of this machine; set GRPC_HOST to one`)
  }
  return fail("Other", `cannot serve gRPC on ${host}:${port}: ${cause.message}`)
}
