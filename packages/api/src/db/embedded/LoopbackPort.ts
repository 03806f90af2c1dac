/** TCP ports of 127.0.0.1. */
import { Effect } from "effect"
import * as net from "node:net"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** 5432 is where people expect their own PostgreSQL: never given out. */
const reserved = 5432

const listen = (port: number): Effect.Effect<number, EmbeddedPostgresError> =>
  Effect.callback((resume) => {
    const server = net.createServer()
    server.once("error", (cause) =>
      resume(Effect.fail(
        new EmbeddedPostgresError({ reason: "Start", message: `No port of 127.0.0.1 could be opened: ${cause.message}`, cause })
      )))
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address()
      server.close(() => resume(Effect.succeed(address !== null && typeof address !== "string" ? address.port : port)))
    })
    return Effect.sync(() => server.close())
  })

/** One that the operating system chooses and that nobody listens on. */
const free: Effect.Effect<number, EmbeddedPostgresError> = listen(0).pipe(
  Effect.repeat({ while: (port) => port === reserved })
)

const isFree = (port: number): Effect.Effect<boolean> =>
  port === reserved ? Effect.succeed(false) : listen(port).pipe(Effect.as(true), Effect.orElseSucceed(() => false))

export const LoopbackPort = { free, isFree } as const
