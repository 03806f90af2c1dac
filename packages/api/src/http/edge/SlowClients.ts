/**
 * Clients that take what they asked for too slowly, or not at all. What is not taken is not produced either: the response's
 * stream waits. A client that takes nothing for `stall` is hung up on, and may resume its event stream where it stopped.
 * Once the server stops, a connection ends with the answer that it was waiting for.
 */
import { Duration } from "effect"
import type { Server } from "node:http"
import type { Duplex } from "node:stream"

export const watchSlowClients = (server: Server, stall: Duration.Duration): Server => {
  const answering = new WeakSet<Duplex>()
  // Counts anew with every packet that the client takes. Whoever waits for an answer may be quiet; a connection between two
  // requests has only Node's keepAliveTimeout, which comes here too.
  server.setTimeout(Duration.toMillis(stall), (socket) => {
    if (socket.writableLength > 0 || !answering.has(socket)) socket.destroy()
  })
  server.on("request", ({ socket }, response) => {
    answering.add(socket)
    response.on("close", () => {
      answering.delete(socket)
      // Node takes the connection for idle only after this event.
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  })
  return server
}
