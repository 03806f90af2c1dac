/**
 * What Node answers by itself, before any route is asked: requests that are not HTTP, too large or too slow, expectations
 * nobody meets, protocols nobody speaks. Each gets a JSON error like every other, or its connection is closed; none reaches the
 * process.
 */
import { errorAnswer } from "@englog/rpc/http/ErrorAnswer"
import type { ErrorCode } from "@englog/rpc/http/ErrorCodes"
import { Predicate } from "effect"
import type { Server, ServerOptions, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { answerHeaders } from "./AnswerHeaders.ts"
import { sentences, urlLimit } from "./RequestBounds.ts"
import { pathOf, webSocketPath } from "../RouteTable.ts"

/**
 * WebSockets are spoken at one place; elsewhere the wish to upgrade is ignored, and the body read like any other (RFC 9110,
 * section 7.8). A missing host is for RequestHead to refuse, because Node does it without a word.
 */
export const strict: ServerOptions = {
  requireHostHeader: false,
  shouldUpgradeCallback: ({ headers, url }) => headers.upgrade?.toLowerCase() === "websocket" && pathOf(url ?? "") === webSocketPath
}

interface StatusRefusal {
  /** Status and reason phrase. */
  readonly line: string
  readonly error: string
  readonly code: ErrorCode
}

const refusals = new Map<unknown, StatusRefusal>([
  ["HPE_HEADER_OVERFLOW", { line: "431 Request Header Fields Too Large", error: sentences.headers, code: "headers_too_large" }],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", { line: "413 Content Too Large", error: "body: the extensions of its chunks are too large", code: "payload_too_large" }],
  ["ERR_HTTP_REQUEST_TIMEOUT", { line: "408 Request Timeout", error: "the request took too long to arrive", code: "request_timeout" }]
])

const malformed: StatusRefusal = { line: "400 Bad Request", error: "the request is not valid HTTP/1.1", code: "malformed_http" }
const endlessAddress: StatusRefusal = { line: "414 URI Too Long", error: sentences.url, code: "uri_too_long" }

export const answerMalformed = (server: Server): Server => {
  /** The response that is being written on a connection: nothing may be put into the middle of it. */
  const begun = new WeakMap<Duplex, ServerResponse>()
  server.on("request", (request, response) => begun.set(request.socket, response))
  server.on("clientError", (error, socket) => {
    const response = begun.get(socket)
    const isMidway = response?.headersSent === true && !response.writableFinished
    if (!socket.writable || isMidway) return socket.destroy()
    socket.end(rawAnswer(refusalOf(error)))
    closeSoon(socket)
  })
  server.on("checkExpectation", (_request, response: ServerResponse) => {
    const body = JSON.stringify(errorAnswer({ error: "expect: only 100-continue can be expected" }, "expectation_failed"))
    response.writeHead(417, { ...headers, "content-length": body.length }).end(body)
  })
  return server
}

const refusalOf = (error: Error): StatusRefusal => {
  const code = Predicate.hasProperty(error, "code") ? error.code : undefined
  return code === "HPE_HEADER_OVERFLOW" && isInAddress(error) ? endlessAddress : refusals.get(code) ?? malformed
}

/** Was it the first line, which holds the address, that was too long? Known where it came in one packet. */
const isInAddress = (error: Error): boolean => {
  const packet = Predicate.hasProperty(error, "rawPacket") && Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString("latin1") : ""
  return (/^[A-Z]+ ([^\r\n]*)/.exec(packet)?.[1]?.length ?? 0) > urlLimit
}

/** There is no TLS in front of a request that came as no proxy would send it. */
const headers = { connection: "close", "content-type": "application/json", ...answerHeaders({ behindTls: false }) }

const rawAnswer = ({ code, error, line }: StatusRefusal): string => {
  const body = JSON.stringify(errorAnswer({ error }, code))
  const lines = Object.entries({ ...headers, "content-length": Buffer.byteLength(body) }).map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${line}\r\n${lines.join("\r\n")}\r\n\r\n${body}`
}

/** What still arrives is thrown away for as long as it takes to read the answer; a reset would take it from the reader. */
const closeSoon = (socket: Duplex): void => {
  socket.resume()
  const end = setTimeout(() => socket.destroy(), GRACE_MS)
  socket.once("close", () => clearTimeout(end))
}

const GRACE_MS = 500
