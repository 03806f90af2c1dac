/**
 * Every word that `code` may be in an error answer, of REST and of RPC. Programs decide by it what to do: a word keeps its
 * meaning and its status for good, while the sentence beside it may be put better. New words may be added.
 */
import { Schema, Struct } from "effect"

interface CodeEntry {
  /** Of the HTTP answer; RPC has its reasons instead. */
  readonly status: number
  readonly meaning: string
}

const entry = (status: number, meaning: string): CodeEntry => ({ status, meaning })

export const errorCodes = {
  invalid_field: entry(400, "A field, parameter or header is wrong; `details` names each and says why."),
  invalid_request: entry(400, "The request is wrong as a whole, in no single field."),
  malformed_body: entry(400, "The body is not JSON in UTF-8, or not the kind of JSON that a server should read."),
  malformed_http: entry(400, "What was sent is not HTTP/1.1."),
  unauthenticated: entry(401, "No valid credentials: the token is missing, invalid, expired, revoked or of the wrong type."),
  forbidden: entry(403, "The caller is known but may not do this."),
  insufficient_scope: entry(403, "The API token lacks a scope; `details` names it."),
  not_found: entry(404, "There is no such resource, or it belongs to somebody else."),
  unknown_route: entry(404, "The server has no such path."),
  method_not_allowed: entry(405, "The path has no such method; `Allow` lists those it has."),
  request_timeout: entry(408, "The request took too long to arrive."),
  conflict: entry(409, "The request contradicts the present state."),
  limit_reached: entry(409, "As many of these as may be exist already."),
  stale_etag: entry(412, "It has changed since the caller read it: read it again, then decide again."),
  payload_too_large: entry(413, "The body is larger than the server reads."),
  uri_too_long: entry(414, "The address is longer than the server reads."),
  unsupported_media_type: entry(415, "The body is of a content type, charset or encoding that is not read here."),
  expectation_failed: entry(417, "The `expect` header asks for what the server does not do."),
  idempotency_key_reused: entry(422, "The `Idempotency-Key` was used for another request within the last 24 hours."),
  not_applied: entry(424, "An operation of a list that was undone because of another one."),
  upgrade_required: entry(426, "Only WebSockets are spoken here."),
  rate_limited: entry(429, "Too much at once; `details` and `Retry-After` say in how many seconds to try again."),
  headers_too_large: entry(431, "The head of the request has more lines or bytes than the server reads."),
  internal: entry(500, "A fault of the server. The log has it under the `x-request-id` of the answer."),
  unavailable: entry(503, "Something the server needs is down or busy; `details` and `Retry-After` say when to try again."),
  stopping: entry(503, "The server is stopping and ends its streams; go on elsewhere after the last event, in as many seconds as `details` say.")
} as const

export const ErrorCode = Schema.Literals(Struct.keys(errorCodes)).annotate({
  identifier: "ErrorCode",
  description: ["What is wrong, as a word for programs that keeps its meaning:", ...Object.entries(errorCodes)
    .map(([code, { meaning, status }]) => `- \`${code}\` (${status}): ${meaning}`)].join("\n")
})
export type ErrorCode = typeof ErrorCode.Type

/** What a status means where nobody says it more precisely. */
const usual: ReadonlyMap<number, ErrorCode> = new Map(
  Struct.keys(errorCodes).toReversed().map((code) => [errorCodes[code].status, code] as const)
)

export const codeOfStatus = (status: number): ErrorCode => usual.get(status) ?? (status >= 500 ? "internal" : "invalid_request")
