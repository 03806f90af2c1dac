/** HTTP as bytes, for what no client library would send. */
import { Deferred, Effect } from "effect"
import { HttpServer } from "effect/http"
import { connect, type Socket } from "node:net"

export const httpPort = Effect.map(HttpServer.HttpServer, ({ address }) => "port" in address ? address.port : 0)

/** A connection of one's own; closed with the scope. */
export const dial = Effect.gen(function*() {
  const port = yield* httpPort
  const closed = yield* Deferred.make<string>()
  let received = ""
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
      socket.on("data", (data) => { received += data.toString("latin1") })
      // A reset is an end like any other.
      socket.on("error", () => {})
      socket.on("close", () => Deferred.doneUnsafe(closed, Effect.succeed(received)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  return {
    send: (bytes: string | Buffer) => Effect.sync(() => socket.write(bytes)),
    destroy: Effect.sync(() => socket.destroy()),
    /** All that came back, once the server has closed the connection. */
    end: Deferred.await(closed)
  }
})

/** Sends bytes as they are; answers all that came back up to the end of its JSON body, or until the connection closed. */
export const exchange = (bytes: Buffer | string) =>
  Effect.flatMap(httpPort, (port) =>
    Effect.callback<string>((resume) => {
      let answer = ""
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes))
      socket.on("data", (data) => {
        answer += data.toString("latin1")
        if (answer.includes("\"}")) socket.destroy()
      })
      socket.on("error", () => {})
      socket.on("close", () => resume(Effect.succeed(answer)))
      return Effect.sync(() => socket.destroy())
    }))
