/**
 * How large a request may be. What is larger is answered before anything of it is looked at.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { usualBodyLimit } from "@englog/rpc/http/BodyLimit"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { errorBody } from "../errors/ErrorBody.ts"
import { bodyLimitOf, largeBodyOf } from "../RouteTable.ts"

/** 1 MiB: the largest body that most endpoints read, and the largest message of a WebSocket. */
export const bodyLimit = usualBodyLimit

/** Larger ones of one server at once: each lies in memory as a whole until it is answered. */
export const largeBodiesAtOnce = 4

/** It may have a body that is larger than most endpoints read, and lies in memory as a whole. */
export const isLarge = (request: HttpServerRequest.HttpServerRequest): boolean =>
  largeBodyOf(request)?.streamed === false && Number(request.headers["content-length"] ?? Infinity) > bodyLimit

/** Characters. Longest that is needed: a list filtered by tags, with a cursor. */
export const urlLimit = 8_192

/** Lines of a request's head, and its bytes: Node's default for the latter, which also is most proxies'. */
export const headerCountLimit = 100
export const headerBytesLimit = 16_384

/** The answer to what is too large; undefined where nothing is. */
export const tooLarge = (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | undefined => {
  if (request.url.length > urlLimit) return urlTooLong
  if (Number(request.headers["content-length"] ?? 0) > bodyLimitOf(request)) return bodyTooLarge(request)
  // Name and value of each line as it was sent, repeated ones too.
  return NodeHttpServerRequest.toIncomingMessage(request).rawHeaders.length / 2 > headerCountLimit ? tooManyHeaders : undefined
}

/** The rest of the request is not read: the connection cannot serve another one. */
const refusal = (status: number, error: string) => errorBody(status, error, { connection: "close" })

export const sentenceOfBody = (limit: number): string => `body: must be at most ${limit} bytes`

export const sentences = {
  url: `url: must be at most ${urlLimit} characters`,
  headers: `headers: must be at most ${headerCountLimit} lines and ${headerBytesLimit} bytes`
} as const

export const bodySentence = (request: HttpServerRequest.HttpServerRequest): string => sentenceOfBody(bodyLimitOf(request))

export const bodyTooLarge = (request: HttpServerRequest.HttpServerRequest) => refusal(413, bodySentence(request))
const urlTooLong = refusal(414, sentences.url)
const tooManyHeaders = refusal(431, sentences.headers)
