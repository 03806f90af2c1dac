/** Sends requests as they are, well formed or not, and tells what came back, within a limit. */
import { Effect } from "effect"
import * as http from "node:http"
import { connect } from "node:net"
import type { HostileRequest, Outcome } from "./HostileRequest.ts"

export interface Server {
  readonly host: string
  readonly port: number
}

/** Long for a server, short for a client: a request that takes longer hangs. */
const PATIENCE = "10 seconds"

/** A connection for each request: a server may close one on which somebody misbehaved. */
const agent = new http.Agent({ keepAlive: false, maxSockets: 16 })

export const exchange = ({ host, port }: Server, request: HostileRequest): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const headers = new Map<string, Array<string>>()
    for (const [name, value] of request.headers) headers.set(name, [...headers.get(name) ?? [], value])
    const { body, chunked, method, target: path } = request
    const sent = http.request({ host, port, method, path, agent, setHost: true })
    for (const [name, values] of headers) sent.setHeader(name, values.length === 1 ? values[0] ?? "" : values)
    if (chunked === true) sent.setHeader("transfer-encoding", "chunked")
    else if (body !== undefined) sent.setHeader("content-length", body.length)
    sent.on("response", (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", (error) => resume(Effect.succeed({ _tag: "Closed", reason: error.message })))
      response.on("end", () =>
        resume(Effect.succeed({
          _tag: "Answered",
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString()
        })))
    })
    // After the answer, a server may cut what is still being sent: the answer counts.
    sent.on("error", (error) => resume(Effect.succeed({ _tag: "Closed", reason: error.message })))
    sent.end(body)
    return Effect.sync(() => sent.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: PATIENCE, orElse: () => Effect.succeed<Outcome>({ _tag: "Hung" }) }))

/** Sends bytes and says nothing more, as `end` has it; answers what came back until the server closed the connection. */
export const rawExchange = ({ host, port }: Server, bytes: Uint8Array, end: "half-closed" | "open" = "open"): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    let text = ""
    const socket = connect({ host, port, allowHalfOpen: true }, () => end === "open" ? socket.write(bytes) : socket.end(bytes))
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => text += String(chunk))
    socket.on("error", (error) => text += text === "" ? error.message : "")
    socket.on("end", () => socket.destroy())
    socket.on("close", () => resume(Effect.succeed(answered(text))))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: PATIENCE, orElse: () => Effect.succeed<Outcome>({ _tag: "Hung" }) }))

const answered = (text: string): Outcome => {
  const [, status, head = "", body = ""] = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n([^]*?)\r\n\r\n([^]*)$/.exec(text) ?? []
  if (status === undefined) return { _tag: "Closed", reason: text }
  const headers = Object.fromEntries(head.split("\r\n").map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
  return { _tag: "Answered", status: Number(status), headers, text: body }
}
