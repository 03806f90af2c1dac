/** TCP ports on this machine, tried by listening on them. */
import { Effect } from "effect"
import * as net from "node:net"

export const isFree = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = net.createServer()
    server.once("error", (error) => resume(Effect.succeed(!("code" in error && error.code === "EADDRINUSE"))))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.succeed(true))))
    return Effect.sync(() => server.close())
  })
