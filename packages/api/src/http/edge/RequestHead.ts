/**
 * What is wrong with a request before its body is read, whatever the endpoint: its address, headers that are ambiguous, and
 * encodings that nobody here decodes.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { unstorable } from "@englog/rpc/http/PlainText"
import { Option, Result } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { IncomingMessage } from "node:http"
import { errorBody } from "../errors/ErrorBody.ts"
import { shortened } from "../errors/FieldName.ts"
import { tooLarge } from "./RequestBounds.ts"

/** The answer to a request that is too large or ambiguous; undefined where nothing is wrong. */
export const headRefusal = (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | undefined => {
  const large = tooLarge(request)
  if (large !== undefined) return large
  const incoming = NodeHttpServerRequest.toIncomingMessage(request)
  const wrong = versionProblem(incoming) ?? addressProblem(request.url) ?? headerProblem(incoming.rawHeaders)
  if (wrong !== undefined) return errorBody(400, wrong)
  const coding = request.headers["content-encoding"]
  return coding === undefined || coding.toLowerCase() === "identity"
    ? undefined
    : errorBody(415, `content-encoding: ${shortened(coding)} is not supported here; send the body as it is`)
}

const addressProblem = (url: string): string | undefined => {
  const mark = url.indexOf("?")
  const path = mark < 0 ? url : url.slice(0, mark)
  // The router would leave out what follows, and whoever filters paths before us would not.
  const inPath = /[;#]/.test(path) ? "must not contain ; or # unless percent-encoded" : textProblem(path)
  if (inPath !== undefined) return `path: ${inPath}`
  if (mark < 0) return undefined
  for (const parameter of url.slice(mark + 1).split("&")) {
    const equals = parameter.indexOf("=")
    const name = equals < 0 ? parameter : parameter.slice(0, equals)
    const inName = textProblem(name)
    if (inName !== undefined) return `query: the name of a parameter ${inName}`
    const inValue = equals < 0 ? undefined : textProblem(parameter.slice(equals + 1))
    if (inValue !== undefined) return `${shortened(Option.getOrElse(decoded(name), () => name))}: ${inValue}`
  }
  return undefined
}

const textProblem = (encoded: string): string | undefined => {
  if (/[^\x21-\x7e]/.test(encoded)) return "must be percent-encoded (RFC 3986)"
  if (!encoded.includes("%")) return undefined
  return Option.match(decoded(encoded), { onNone: () => "must be valid percent-encoded UTF-8", onSome: unstorable })
}

const decoded = (encoded: string): Option.Option<string> => Result.getSuccess(Result.try(() => decodeURIComponent(encoded)))

/** Node keeps the first of several, a proxy before it perhaps the last (RFC 9110, section 5.3). */
const single = ["authorization", "content-type", "content-encoding", "host", "last-event-id"]

const headerProblem = (rawHeaders: ReadonlyArray<string>): string | undefined => {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  const repeated = single.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
  return repeated === undefined ? undefined : `${repeated}: must be given once`
}

/** HTTP/0.9 knows no headers; HTTP/1.1 demands that the host is named (RFC 9112, section 3.2). */
const versionProblem = ({ headers, httpVersion }: Pick<IncomingMessage, "headers" | "httpVersion">): string | undefined =>
  httpVersion === "1.1"
    ? headers.host === undefined ? "host: is required" : undefined
    : httpVersion === "1.0"
    ? undefined
    : "the request must be HTTP/1.1"
