/** A TCP proxy that can be told to go away or to fall silent, and to come back. */
import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"

export interface CuttableProxy {
  readonly port: number
  /** Every connection breaks, and no new one is taken. */
  readonly cut: Effect.Effect<void>
  /** Connections stay, and nothing passes any more. */
  readonly freeze: Effect.Effect<void>
  readonly restore: Effect.Effect<void>
}

export const cuttableProxy = (host: string, port: number): Effect.Effect<CuttableProxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    let state: "open" | "cut" | "frozen" = "open"
    const destroyAll = () => { for (const socket of sockets) socket.destroy() }
    const pass = (from: Socket, to: Socket) => {
      sockets.add(from)
      from.on("data", (data) => state === "open" && to.write(data))
      from.on("error", () => {})
      from.on("close", () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    const server = createServer((client) => {
      if (state === "cut") return client.destroy()
      const target = connect(port, host)
      pass(client, target)
      pass(target, client)
    })
    const listening = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () => Effect.sync(() => {
        server.close()
        destroyAll()
      })
    )
    const become = (next: typeof state) => Effect.sync(() => {
      state = next
      // What was lost while it was silent would leave both ends out of step.
      if (next !== "frozen") destroyAll()
    })
    return { port: listening, cut: become("cut"), freeze: become("frozen"), restore: become("open") }
  })
