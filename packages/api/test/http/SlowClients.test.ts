/** A client that does not read, against a response that never ends. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Ref, Schedule, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { connect, type Socket } from "node:net"
import { connectionBounds } from "../../src/http/edge/ConnectionGuards.ts"
import { HttpListener } from "../../src/http/edge/HttpListener.ts"

const CHUNK = new Uint8Array(64 * 1024)
const STALL_MS = 1_000

/** Answers how many chunks have been produced, and the port. */
const endless = Effect.gen(function*() {
  const produced = yield* Ref.make(0)
  const released = yield* Ref.make(false)
  const chunks = Stream.fromEffectRepeat(Effect.as(Ref.update(produced, (count) => count + 1), CHUNK)).pipe(
    Stream.ensuring(Ref.set(released, true))
  )
  const routes = HttpRouter.add("GET", "/endless", Effect.succeed(HttpServerResponse.stream(chunks)))
  const context = yield* Layer.build(
    HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(HttpListener.layer({ host: "127.0.0.1", port: 0, drain: "100 millis", bounds: { ...connectionBounds, stall: Duration.millis(STALL_MS) } }))
    )
  )
  const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
  return { produced, released, port: "port" in address ? address.port : 0 }
})

const ask = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = connect({ host: "127.0.0.1", port })
      socket.on("error", () => {})
      socket.write("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const until = <E, R>(look: Effect.Effect<boolean, E, R>) =>
  look.pipe(Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("20 millis") }), Effect.timeout("10 seconds"))

const reads = (socket: Socket, bytes: number) => Effect.sync(() => socket.bytesRead > bytes)

describe("a client that takes its answer", () => {
  it.live("not at all costs no memory beyond the system's buffers, and is hung up on", () => Effect.scoped(Effect.gen(function*() {
    const { port, produced, released } = yield* endless
    const socket = yield* ask(port)
    yield* Effect.sync(() => socket.pause())
    yield* until(Ref.get(released))
    // Linux lets a connection on loopback grow to about 10 MB in its two buffers.
    assert.isBelow((yield* Ref.get(produced)) * CHUNK.length, 32 * 1024 * 1024)
  })))

  it.live("slowly gets it for as long as it likes", () => Effect.scoped(Effect.gen(function*() {
    const { port, released } = yield* endless
    const socket = yield* ask(port)
    for (let round = 1; round <= 6; round++) {
      yield* Effect.sync(() => socket.resume())
      yield* until(reads(socket, round * 4_000_000))
      yield* Effect.sync(() => socket.pause())
      // The client's own pace.
      yield* Effect.sleep(STALL_MS / 4)
      assert.isFalse(yield* Ref.get(released))
    }
  })))
})
