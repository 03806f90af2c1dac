import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer, type Socket } from "node:net"
import * as AnswerDeadline from "../../src/db/AnswerDeadline.ts"

/** ReadyForQuery, idle. */
const ready = Uint8Array.from([0x5a, 0, 0, 0, 5, 0x49])

/** A server that answers the first `answers` messages and is silent from then on; answers its port. */
const server = (answers: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const clients = new Set<Socket>()
      const listening = createServer((client) => {
        clients.add(client)
        let answered = 0
        client.on("error", () => {})
        client.on("data", () => void (answered++ < answers && client.write(ready)))
      })
      listening.listen(0, "127.0.0.1", () => {
        const address = listening.address()
        const close = () => {
          listening.close()
          for (const client of clients) client.destroy()
        }
        resume(Effect.succeed({ port: typeof address === "object" && address !== null ? address.port : 0, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const next = (socket: Socket, event: "connect" | "data" | "error" | "timeout") =>
  Effect.callback<unknown>((resume) => void socket.once(event, (value: unknown) => resume(Effect.succeed(value))))

const opened = (answers: number) =>
  Effect.gen(function*() {
    const { port } = yield* server(answers)
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => AnswerDeadline.open({ host: "127.0.0.1", port }, 50)),
      (open) => Effect.sync(() => open.destroy())
    )
    yield* next(socket, "connect")
    return socket
  })

describe("a connection to PostgreSQL", () => {
  it.live("breaks when its statement is not answered in time", () =>
    Effect.gen(function*() {
      const socket = yield* opened(0)
      socket.write("statement")
      assert.match(String(yield* next(socket, "error")), /did not answer within 50 ms/)
    }).pipe(Effect.scoped))

  it.live("may be idle for as long as it owes nothing, and breaks all the same when the answer after that does not come", () =>
    Effect.gen(function*() {
      const socket = yield* opened(2)
      for (const statement of ["first", "second"]) {
        socket.write(statement)
        yield* next(socket, "data")
        yield* next(socket, "timeout")
        assert.isFalse(socket.destroyed)
      }
      socket.write("third")
      assert.match(String(yield* next(socket, "error")), /did not answer within 50 ms/)
    }).pipe(Effect.scoped))
})
