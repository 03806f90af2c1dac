/**
 * What a new connection of a gRPC server turns out to be: plain HTTP/2, HTTP/2 over TLS, or nothing that can be served. The
 * first byte tells; it is left to be read. Where the connection may not be used, the sentences say what to do on either side.
 */
import { Duration, Effect, Option } from "effect"
import type * as net from "node:net"
import * as tls from "node:tls"
import type { ServerTls } from "./GrpcTls.ts"

export type Protocol =
  /** `verdict`: why it may not be used, undefined where it may. */
  | { readonly _tag: "Http2"; readonly socket: net.Socket; readonly verdict: string | undefined }
  /** `why` is undefined for a connection that was only opened and closed, as port probes do. */
  | { readonly _tag: "None"; readonly why: string | undefined }

/** Address and port of the other side, as grpc-js names it. */
export const peerOf = (socket: net.Socket): string => `${socket.remoteAddress}:${socket.remotePort}`

/** Finds out what a connection speaks; for a server with certificates, or for one without. */
export type Recognize = (socket: net.Socket) => Effect.Effect<Protocol>

/** `limit`: from connecting to the first byte of HTTP/2. */
export const recognizer = (settings: Option.Option<ServerTls>, limit: Duration.Duration): Recognize => {
  const secure = Option.map(settings, secured)
  const tooSlow = none(`it did not say what it wants within ${Duration.toSeconds(limit)} s`)
  return (socket) =>
    Effect.gen(function*() {
      const first = yield* firstByte(socket)
      if (first === undefined) return none(undefined)
      if (first === HANDSHAKE) return Option.isSome(secure) ? yield* secure.value(socket) : none(SERVER_SPEAKS_PLAIN_TEXT)
      if (first !== PREFACE) return none("it speaks neither HTTP/2 nor TLS")
      return http2(socket, Option.isSome(settings) ? SERVER_SPEAKS_TLS : undefined)
    }).pipe(Effect.timeoutOrElse({ duration: limit, orElse: () => Effect.succeed(tooSlow) }))
}

/** The first byte of a TLS handshake record. */
const HANDSHAKE = 0x16
/** The first byte of HTTP/2's preface, `PRI * HTTP/2.0`. */
const PREFACE = 0x50

const SERVER_SPEAKS_PLAIN_TEXT = "it speaks TLS and this server does not: set TLS_CERT_FILE and TLS_KEY_FILE of the API server, "
  + "or unset TLS_CA_FILE, TLS_CERT_FILE and TLS_SERVER_NAME of the worker"
const SERVER_SPEAKS_TLS = "this server speaks TLS and the worker does not: set TLS_CA_FILE of the worker to the authority that "
  + "signed the server's certificate"
const NOT_TRUSTED = "it hung up during the TLS handshake: TLS_CA_FILE of the worker has to be the authority that "
  + "signed this server's certificate, TLS_SERVER_NAME (or the address) one of its names, and it must not have expired"
const NO_CERTIFICATE = "this server demands a client certificate: set TLS_CERT_FILE and TLS_KEY_FILE of the worker"

const http2 = (socket: net.Socket, verdict: string | undefined): Protocol => ({ _tag: "Http2", socket, verdict })
const none = (why: string | undefined): Protocol => ({ _tag: "None", why })

/** Shakes hands, and looks whether the client goes on to HTTP/2 or was not content with the server's certificate. */
const secured = (settings: ServerTls): Recognize => {
  const shake = handshakes(settings)
  return Effect.fnUntraced(function*(socket) {
    const shaken = yield* shake(socket)
    if (typeof shaken === "string") return none(shaken)
    const first = yield* firstByte(shaken)
    if (first === undefined) return none(NOT_TRUSTED)
    if (first !== PREFACE) return none("it does not speak HTTP/2")
    return http2(shaken, Option.isSome(settings.clientCa) ? certificateVerdict(shaken) : undefined)
  })
}

const certificateVerdict = (socket: tls.TLSSocket): string | undefined => {
  if (socket.authorized) return undefined
  if (socket.getPeerX509Certificate() === undefined) return NO_CERTIFICATE
  const problem: unknown = socket.authorizationError
  const reason = problem instanceof Error ? problem.message : String(problem)
  return `this server does not accept the worker's client certificate (${reason}): TLS_CERT_FILE of the worker has to be signed by `
    + "the authority in TLS_CA_FILE of the API server, for client authentication, and valid today"
}

/** Gives the secured socket, or says why there is none. */
const handshakes = ({ cert, clientCa, key }: ServerTls) => {
  const waiting = new Map<string, (result: tls.TLSSocket | string) => void>()
  const server = tls.createServer({
    cert,
    key,
    ...Option.match(clientCa, { onNone: () => ({}), onSome: (ca) => ({ ca }) }),
    requestCert: Option.isSome(clientCa),
    // `certificateVerdict` looks at `authorized` instead, so that a client can be told why it is refused.
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.2"
  })
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {})
    waiting.get(peerOf(socket))?.(socket)
  })
  server.on("tlsClientError", (error, socket) =>
    waiting.get(peerOf(socket))?.(`the TLS handshake failed (${error.message}); each side needs a certificate that the other accepts`))

  return (socket: net.Socket) =>
    Effect.callback<tls.TLSSocket | string>((resume) => {
      const peer = peerOf(socket)
      const closed = (): void => finish(NOT_TRUSTED)
      const forget = (): void => {
        waiting.delete(peer)
        socket.removeListener("close", closed)
      }
      const finish = (result: tls.TLSSocket | string): void => {
        forget()
        resume(Effect.succeed(result))
      }
      waiting.set(peer, finish)
      socket.on("close", closed)
      server.emit("connection", socket)
      return Effect.sync(forget)
    })
}

/** Looks at what comes first and leaves it to be read; undefined where the other side hangs up instead. */
const firstByte = (socket: net.Socket) =>
  Effect.callback<number | undefined>((resume) => {
    const finish = (byte: number | undefined): void => {
      forget()
      resume(Effect.succeed(byte))
    }
    const look = (): void => {
      const chunk: unknown = socket.read()
      if (!Buffer.isBuffer(chunk)) return
      socket.unshift(chunk)
      finish(chunk[0])
    }
    const closed = (): void => finish(undefined)
    const forget = (): void => {
      socket.removeListener("readable", look)
      socket.removeListener("end", closed)
      socket.removeListener("close", closed)
    }
    socket.on("readable", look)
    socket.on("end", closed)
    socket.on("close", closed)
    return Effect.sync(forget)
  })
