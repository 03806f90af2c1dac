/** A real SMTP server that keeps what it is given, and misbehaves in whatever way a test asks for. */
import { Deferred, Effect, Queue, type Scope } from "effect"
import { createServer, type Socket } from "node:net"
import PostalMime, { type Email } from "postal-mime"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"

/** What the server does with one message: `takes` it, says something else at that command, or ends the connection. */
export type Manner =
  | "takes"
  | { readonly at: "RCPT" | "DATA"; readonly code: number; readonly text: string }
  /** Reads the whole message, and then goes without a word. */
  | "drops"
  /** Never answers RCPT; its connections stay. */
  | "holds"

export interface CaughtMail {
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly raw: string
  readonly mail: Email
  readonly secure: boolean
  readonly user: string | undefined
}

export interface CatcherOptions {
  /** PEM; without them it offers no TLS. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly implicit?: boolean }
  readonly credentials?: { readonly user: string; readonly password: string }
}

export const startCatcher = Effect.fnUntraced(function*(options: CatcherOptions = {}) {
  const mails = yield* Queue.unbounded<CaughtMail>()
  const held = yield* Deferred.make<void>()
  const manners: Array<Manner> = []
  const seen = { recipients: 0, messages: 0 }
  let present: Manner = "takes"
  const sockets = new Set<Socket>()

  const refusal = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code })
  const server = new SMTPServer({
    ...tlsOptions(options),
    authOptional: options.credentials === undefined,
    logger: false,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ password, username }, _session, answer) =>
      username === options.credentials?.user && password === options.credentials?.password
        ? answer(null, { user: username })
        : answer(refusal(535, "5.7.8 wrong user name or password")),
    onRcptTo: (_address, _session, answer) => {
      present = manners.shift() ?? "takes"
      seen.recipients++
      if (present === "holds") Deferred.doneUnsafe(held, Effect.void)
      else if (typeof present === "object" && present.at === "RCPT") answer(refusal(present.code, present.text))
      else answer()
    },
    onData: (stream, session, answer) => {
      const manner = present
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        seen.messages++
        if (manner === "drops") return sockets.forEach((socket) => socket.destroy())
        if (typeof manner === "object") return answer(refusal(manner.code, manner.text))
        const raw = Buffer.concat(chunks).toString("utf8")
        const { mailFrom, rcptTo } = session.envelope
        void PostalMime.parse(raw).then((mail) =>
          Queue.offerUnsafe(mails, {
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            raw,
            mail,
            secure: session.secure,
            user: typeof session.user === "string" ? session.user : undefined
          }))
        answer(null, "2.0.0 queued as 1")
      })
    }
  })
  server.server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.on("error", () => {})
      server.listen(0, "127.0.0.1", () => {
        const address = server.server.address()
        resume(Effect.succeed(address !== null && typeof address !== "string" ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )
  return {
    port,
    seen,
    /** For the next messages, one each; `takes` afterwards. */
    behaves: (...next: ReadonlyArray<Manner>) => Effect.sync(() => void manners.push(...next)),
    /** The next that it took. */
    next: Effect.orDie(Effect.timeout(Queue.take(mails), "30 seconds")),
    /** Whether any waits to be taken. */
    waiting: Queue.size(mails),
    /** A message is being held. */
    holding: Effect.orDie(Effect.timeout(Deferred.await(held), "30 seconds"))
  }
})

export type Catcher = Effect.Success<ReturnType<typeof startCatcher>>

const tlsOptions = ({ tls }: CatcherOptions): SMTPServerOptions =>
  tls === undefined ? { disabledCommands: ["STARTTLS"], hideSTARTTLS: true } : { key: tls.key, cert: tls.cert, secure: tls.implicit === true }

/** A listener that never says a word. */
export const startMute: Effect.Effect<number, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => void sockets.add(socket))
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const close = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ port: address !== null && typeof address !== "string" ? address.port : 0, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ),
  ({ port }) => port
)
