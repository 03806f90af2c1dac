/**
 * What Node answers by itself, before any route is asked: requests that are not HTTP, expectations nobody meets, protocols
 * nobody speaks. Each gets a JSON error like every other, or its connection is closed; none reaches the process.
 */
import { Predicate } from "effect"
import type { Server, ServerOptions, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { webSocketPath } from "./RouteTable.ts"

/** WebSockets are spoken at one place; elsewhere the wish to upgrade is ignored, and the body read like any other (RFC 9110, section 7.8). */
export const upgrades: ServerOptions = {
  shouldUpgradeCallback: ({ headers, url }) => headers.upgrade?.toLowerCase() === "websocket" && url?.split("?", 1)[0] === webSocketPath
}

interface Refusal {
  readonly line: string
  readonly error: string
}

const refusals = new Map<unknown, Refusal>([
  ["HPE_HEADER_OVERFLOW", { line: "431 Request Header Fields Too Large", error: "headers: the address and the headers are too large" }],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", { line: "413 Content Too Large", error: "body: the extensions of its chunks are too large" }],
  ["ERR_HTTP_REQUEST_TIMEOUT", { line: "408 Request Timeout", error: "the request took too long to arrive" }]
])

const malformed: Refusal = { line: "400 Bad Request", error: "the request is not valid HTTP/1.1" }

export const answerMalformed = (server: Server): Server => {
  /** The response that is being written on a connection: nothing may be put into the middle of it. */
  const begun = new WeakMap<Duplex, ServerResponse>()
  server.on("request", (request, response) => begun.set(request.socket, response))
  server.on("clientError", (error, socket) => {
    const response = begun.get(socket)
    const isMidway = response?.headersSent === true && !response.writableFinished
    if (!socket.writable || isMidway) return socket.destroy()
    const { line, error: reason } = refusals.get(Predicate.hasProperty(error, "code") ? error.code : undefined) ?? malformed
    const body = JSON.stringify({ error: reason })
    socket.end(`HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    socket.once("finish", () => socket.destroy())
  })
  server.on("checkExpectation", (_request, response: ServerResponse) => {
    response.writeHead(417, { "content-type": "application/json", connection: "close" }).end(JSON.stringify({
      error: "expect: only 100-continue can be expected"
    }))
  })
  return server
}
