/**
 * Clients that take what they asked for too slowly, or not at all. What is not taken is not produced either: the response's
 * stream waits. A client that takes nothing for `stall` is hung up on, and may resume its event stream where it stopped.
 * Once the server stops, a connection ends with the answer that it was waiting for.
 */
import { Duration } from "effect"
import type { Server } from "node:http"

export const watchSlowClients = (server: Server, stall: Duration.Duration): Server => {
  // Counts anew with every packet that the client takes. A connection with nothing to take may be quiet.
  server.setTimeout(Duration.toMillis(stall), (socket) => {
    if (socket.writableLength > 0) socket.destroy()
  })
  server.on("request", (_, response) => {
    response.on("close", () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  })
  return server
}
