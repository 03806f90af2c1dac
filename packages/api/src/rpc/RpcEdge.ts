/**
 * The edge of the RPC server. What cannot be read is refused whole: over HTTP with a status and an ErrorAnswer, over a
 * WebSocket with a defect that says why. A payload that does not fit is the call's own failure, `bad_request`.
 * A fault of ours tells nothing about itself.
 */
import type { Refusal } from "@englog/rpc/http/ErrorAnswer"
import { rpcFailure, RpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Effect, Result, Schema } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import { type RpcMessage, RpcSerialization, RpcServer } from "effect/rpc"
import { isUtf8 } from "node:buffer"
import { errorBody } from "../http/errors/ErrorBody.ts"
import { shortened } from "../http/errors/FieldName.ts"
import type { FieldProblems } from "../http/errors/RequestProblems.ts"
import { bodyLimit } from "../http/edge/RequestBounds.ts"
import { lineProblem, payloadProblem } from "./RpcCall.ts"

type Served<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

/** In front of `/rpc`: reads the whole body, once. */
export const readableCalls = <E, R>(serve: Served<E, R>): Served<E, R | HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const type = request.headers["content-type"] ?? "none"
    if (!/^application\/(x-)?(nd)?json\s*(;|$)/i.test(type)) {
      return errorBody(415, `content-type: ${shortened(type)} is not supported here; send ${ndjson.contentType}`)
    }
    const bytes = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
    if (!isUtf8(bytes)) return errorBody(400, malformed("body: is not valid UTF-8"))
    const problem = callsProblem(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes))
    return problem === undefined ? yield* serve : errorBody(400, problem)
  })

const callsProblem = (text: string): Refusal | undefined => {
  const lines = text.split("\n")
  if (lines.every((line) => line.trim() === "")) return malformed("body: holds no call")
  if (lines.at(-1) !== "") return malformed(`line ${lines.length}: must end with a line feed`)
  for (const [index, line] of lines.entries()) {
    const problem = line.trim() === "" ? undefined : lineProblem(line)
    if (problem !== undefined) return { ...problem, error: `line ${index + 1}: ${problem.error}`, code: "malformed_body" }
  }
  return undefined
}

const malformed = (error: string): Refusal => ({ error, code: "malformed_body" })

/** In front of `/rpc-ws`: the handshake of RFC 6455, section 4.2.1. */
export const webSocketOnly = <E, R>(serve: Served<E, R>): Served<E, R | HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function*() {
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    if (headers["upgrade"]?.toLowerCase() !== "websocket") {
      return errorBody(426, "upgrade: must be websocket; over plain HTTP, use /rpc", { upgrade: "websocket" })
    }
    if (headers["sec-websocket-version"] !== "13") {
      return errorBody(426, "sec-websocket-version: must be 13", { upgrade: "websocket", "sec-websocket-version": "13" })
    }
    if (!/^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "")) {
      return errorBody(400, "sec-websocket-key: must be 16 bytes in base64")
    }
    return yield* serve
  })

const ndjson = RpcSerialization.makeNdjson({ maxBufferSize: bodyLimit })

/** Reads no line that is not a message. */
export const strictNdjson = RpcSerialization.RpcSerialization.of({
  ...ndjson,
  makeUnsafe: () => {
    const parser = ndjson.makeUnsafe()
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    let rest = ""
    return {
      encode: parser.encode,
      decode: (data) => {
        const text = typeof data === "string" ? data : decoder.decode(data, { stream: true })
        const lines = `${rest}${text}`.split("\n")
        rest = lines.pop() ?? ""
        for (const line of lines) {
          const problem = line.trim() === "" ? undefined : lineProblem(line)
          if (problem !== undefined) throw new Error(problem.error)
        }
        return parser.decode(text)
      }
    }
  }
})

/** Answers calls whose payload does not fit instead of the server, and keeps defects to the log. */
export const checkedCalls = (protocol: RpcServer.Protocol["Service"]): RpcServer.Protocol["Service"] =>
  RpcServer.Protocol.of({
    ...protocol,
    send: (client, response, transferables) => protocol.send(client, withoutDefects(response), transferables),
    run: (handle) =>
      protocol.run((client, message) => {
        if (message._tag !== "Request") return handle(client, message)
        const problem = payloadProblem(message.tag, message.payload)
        return problem === undefined ? handle(client, message) : protocol.send(client, badRequest(message.id, problem))
      })
  })

const encodeFailure = Schema.encodeUnknownResult(Schema.toCodecJson(RpcFailure))

const badRequest = (requestId: string | number, { details, error: message }: FieldProblems): RpcMessage.FromServerEncoded => ({
  _tag: "Exit",
  requestId,
  exit: {
    _tag: "Failure",
    cause: [{ _tag: "Fail", error: Result.getOrThrow(encodeFailure(rpcFailure({ reason: "bad_request", message, details }))) }]
  }
})

const internal = "internal error"

const withoutDefects = (response: RpcMessage.FromServerEncoded): RpcMessage.FromServerEncoded => {
  if (response._tag === "Defect") return { ...response, defect: internal }
  if (response._tag !== "Exit" || response.exit._tag === "Success") return response
  const cause = response.exit.cause.map((reason) => reason._tag === "Die" ? { ...reason, defect: internal } : reason)
  return { ...response, exit: { ...response.exit, cause } }
}
