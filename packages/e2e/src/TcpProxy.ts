/**
 * A TCP proxy on loopback whose network a test breaks: connections are cut with a reset, refused, or fall silent as behind a
 * dead switch, where everything is accepted and nothing arrives.
 */
import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"

export interface TcpProxy {
  readonly port: number
  /** Resets every open connection; new ones work. */
  readonly cut: Effect.Effect<void>
  /** From now on nothing passes, in either direction, on open connections and on new ones. */
  readonly silence: Effect.Effect<void>
  /** What was held passes, and everything after it. */
  readonly speak: Effect.Effect<void>
}

/** Forwards to 127.0.0.1:`target` until the scope ends. */
export const make = Effect.fnUntraced(function*(target: number): Effect.fn.Return<TcpProxy, never, Scope.Scope> {
  const sockets = new Set<Socket>()
  let silent = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {})
    if (silent) socket.pause()
  }
  const server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: target })
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      from.on("data", (chunk) => to.write(chunk))
      from.on("close", () => to.destroy())
      keep(from)
    }
  })
  const listen = Effect.callback<number>((resume) => {
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address()
      resume(Effect.succeed(address !== null && typeof address !== "string" ? address.port : 0))
    })
  })
  const cut = Effect.sync(() => {
    for (const socket of sockets) socket.resetAndDestroy()
  })
  const port = yield* Effect.acquireRelease(listen, () => Effect.andThen(cut, Effect.sync(() => server.close())))
  return {
    port,
    cut,
    silence: Effect.sync(() => {
      silent = true
      for (const socket of sockets) socket.pause()
    }),
    speak: Effect.sync(() => {
      silent = false
      for (const socket of sockets) socket.resume()
    })
  }
})
