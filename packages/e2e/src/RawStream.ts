/**
 * A server-sent event stream as bytes on a socket of its own: read, left unread, and hung up as no well-behaved client would.
 */
import { Effect, Schedule, Schema, type Scope } from "effect"
import { connect } from "node:net"

export class NeverSaid extends Schema.TaggedError<NeverSaid>()("NeverSaid", { pattern: Schema.String, said: Schema.String }) {
  override get message(): string {
    return `the stream did not say ${this.pattern} within 20 s; it said:\n${this.said}`
  }
}

export interface RawStream {
  /** Everything received so far, with the response's head. */
  readonly text: () => string
  /** Answers once the text matches. */
  readonly said: (pattern: RegExp) => Effect.Effect<void, NeverSaid>
  /** Stops reading: what the server sends piles up. */
  readonly pause: Effect.Effect<void>
  /** Hangs up with a reset. */
  readonly reset: Effect.Effect<void>
  /** Answers once the server has ended the connection. */
  readonly ended: Effect.Effect<void>
}

/** Sends the GET request; answers when the connection stands. */
export const openStream = Effect.fnUntraced(function*(
  url: string,
  token: string,
  headers: Readonly<Record<string, string>> = {}
): Effect.fn.Return<RawStream, never, Scope.Scope> {
  const { hostname, pathname, port } = new URL(url)
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => connect({ host: hostname, port: Number(port) })),
    (socket) => Effect.sync(() => socket.destroy())
  )
  let text = ""
  let over = false
  socket.setEncoding("utf8")
  socket.on("data", (chunk: string) => {
    text += chunk
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    over = true
  })
  const lines = [`GET ${pathname} HTTP/1.1`, `host: ${hostname}:${port}`, `authorization: Bearer ${token}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  socket.write(`${lines.join("\r\n")}\r\n\r\n`)
  const until = (holds: () => boolean) =>
    Effect.sync(holds).pipe(Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("10 millis") }), Effect.asVoid)
  return {
    text: () => text,
    said: (pattern) =>
      until(() => pattern.test(text)).pipe(
        Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.suspend(() => new NeverSaid({ pattern: String(pattern), said: text })) })
      ),
    pause: Effect.sync(() => void socket.pause()),
    reset: Effect.sync(() => void socket.resetAndDestroy()),
    ended: until(() => over)
  }
})
