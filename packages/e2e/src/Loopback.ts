/** A port on this machine's loopback address, for servers that a test plays. */
import { Effect } from "effect"
import type { Server } from "node:net"

/** Answers the port that the server takes; `port`: one that it had before. */
export const listenOnLoopback = (server: Server, port = 0): Effect.Effect<number> =>
  Effect.callback((resume) => {
    server.listen({ port, host: "127.0.0.1" }, () => {
      const address = server.address()
      resume(Effect.succeed(address !== null && typeof address !== "string" ? address.port : port))
    })
  })
