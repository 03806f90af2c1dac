/**
 * A TCP proxy on loopback whose network a test breaks: connections are cut with a reset, fall silent as behind a dead
 * switch (everything is accepted and nothing arrives, in one direction or both), or are left half open.
 */
import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"
import { listenOnLoopback } from "./Loopback.ts"

export interface TcpProxy {
  readonly port: number
  /** Resets every open connection; new ones work. */
  readonly cut: Effect.Effect<void>
  /** From now on nothing passes, in either direction, on open connections and on new ones. */
  readonly silence: Effect.Effect<void>
  /** The same for what goes towards one side only: the other is still heard. */
  readonly silenceTowards: (side: Side) => Effect.Effect<void>
  /** What was held passes, and everything after it. */
  readonly speak: Effect.Effect<void>
  /** Closes what is open towards one side; the other is told nothing and waits on a connection that leads nowhere. */
  readonly forsake: (side: Side) => Effect.Effect<void>
}

/** Who connected, or what it connected to. */
export type Side = "client" | "target"

const sides = ["client", "target"] as const

/** Forwards to 127.0.0.1:`target` until the scope ends. */
export const make = Effect.fnUntraced(function*(target: number): Effect.fn.Return<TcpProxy, never, Scope.Scope> {
  const sockets = new Map<Socket, Side>()
  const silent = { client: false, target: false }
  const forsaken = new WeakSet<Socket>()
  const keep = (socket: Socket, side: Side) => {
    sockets.set(socket, side)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {})
    if (silent[otherSide(side)]) socket.pause()
  }
  const server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: target })
    for (const [from, to, side] of [[client, upstream, "client"], [upstream, client, "target"]] as const) {
      from.on("data", (chunk) => to.write(chunk))
      from.on("close", () => {
        if (!forsaken.has(from)) to.destroy()
      })
      keep(from, side)
    }
  })
  const cut = Effect.sync(() => {
    for (const socket of sockets.keys()) socket.resetAndDestroy()
  })
  const silenceTowards = (side: Side) =>
    Effect.sync(() => {
      silent[side] = true
      for (const [socket, from] of sockets) if (from !== side) socket.pause()
    })
  const port = yield* Effect.acquireRelease(listenOnLoopback(server), () => Effect.andThen(cut, Effect.sync(() => server.close())))
  return {
    port,
    cut,
    silence: Effect.forEach(sides, silenceTowards, { discard: true }),
    silenceTowards,
    speak: Effect.sync(() => {
      for (const side of sides) silent[side] = false
      for (const socket of sockets.keys()) socket.resume()
    }),
    forsake: (side) =>
      Effect.sync(() => {
        for (const [socket, at] of sockets) {
          if (at !== side) continue
          forsaken.add(socket)
          socket.destroy()
        }
      })
  }
})

const otherSide = (side: Side): Side => side === "client" ? "target" : "client"
