/**
 * A socket to PostgreSQL that breaks when an answer does not come: a frozen server or a dead network accepts everything and
 * says nothing, and `statement_timeout` is kept by the very server that hangs. Connections that owe nothing may be idle.
 */
import { Option, Redacted } from "effect"
import { connect, type NetConnectOpts, type Socket } from "node:net"

/** ReadyForQuery, with which PostgreSQL ends every answer: type, length 5, transaction state (protocol 3, Message Formats). */
const READY = Buffer.from([0x5a, 0, 0, 0, 5])
const READY_LENGTH = READY.length + 1

/** `S`, the whole answer to an SSLRequest: what follows is encrypted, and any of it counts as an answer. */
const TLS_FOLLOWS = 0x53

/** Where a URL points, by the rules of libpq that the client knows: `host` and `port` parameters win; a path is a Unix socket. */
export const addressOf = (url: Redacted.Redacted): NetConnectOpts => {
  const { hostname, port, searchParams } = new URL(Redacted.value(url))
  const host = Option.getOrElse(Option.fromNullishOr(searchParams.get("host")), () => decodeURIComponent(hostname).replace(/^\[|\]$/g, ""))
  const number = Number(searchParams.get("port") ?? (port === "" ? 5432 : port))
  return host.startsWith("/") ? { path: `${host}/.s.PGSQL.${number}` } : { host: host === "" ? "localhost" : host, port: number }
}

/** Not connected yet; `limit` in milliseconds of silence. */
export const open = (address: NetConnectOpts, limit: number): Socket => {
  const socket = connect({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: 5_000 })
  let answeredUpTo = 0
  let encrypted = false
  let tail: Uint8Array = new Uint8Array()
  socket.on("data", (chunk: Buffer) => {
    encrypted ||= socket.bytesRead === 1 && chunk[0] === TLS_FOLLOWS
    tail = chunk.length >= READY_LENGTH ? chunk.subarray(-READY_LENGTH) : Buffer.concat([tail, chunk]).subarray(-READY_LENGTH)
    if (encrypted || READY.equals(tail.subarray(0, READY.length))) answeredUpTo = socket.bytesWritten
  })
  // Node tells of silence again and again, but a callback of `setTimeout` only once: the first idle moment would use it up.
  socket.setTimeout(limit)
  socket.on("timeout", () => {
    if (socket.bytesWritten > answeredUpTo) socket.destroy(new Error(`PostgreSQL did not answer within ${limit} ms`))
  })
  return socket
}
