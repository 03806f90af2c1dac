/**
 * The one failure of the RPC API. `reason` corresponds to the REST API's status: bad_request 400, unauthorized 401,
 * forbidden 403, not_found 404, conflict 409, precondition_failed 412, too_many_requests 429, unavailable 503. `code` and
 * `details` are those of the REST API's errors.
 */
import { Schema, Struct } from "effect"
import { ErrorAnswer, errorAnswer, type ErrorDetail } from "../http/ErrorAnswer.ts"
import type { ErrorCode } from "../http/ErrorCodes.ts"

const usual = {
  bad_request: "invalid_field",
  unauthorized: "unauthenticated",
  forbidden: "forbidden",
  not_found: "not_found",
  conflict: "conflict",
  precondition_failed: "stale_etag",
  too_many_requests: "rate_limited",
  unavailable: "unavailable"
} as const satisfies Record<string, ErrorCode>

type Reason = keyof typeof usual

interface Failed {
  readonly reason: Reason
  readonly message: string
  readonly retry_after?: number | null
  readonly code?: ErrorCode
  readonly details?: ReadonlyArray<ErrorDetail>
}

export class RpcFailure extends Schema.TaggedError<RpcFailure>()("RpcFailure", {
  reason: Schema.Literals(Struct.keys(usual)),
  message: Schema.String,
  code: ErrorAnswer.fields.code,
  details: ErrorAnswer.fields.details,
  /** Seconds to wait, where waiting helps. */
  retry_after: Schema.NullOr(Schema.Int)
}) {}

/** The failure whole: its code and details follow from the rest where they are not given. */
export const rpcFailure = ({ message, reason, retry_after = null, ...more }: Failed): RpcFailure => {
  const { code, details } = errorAnswer({ error: message, ...more, ...retry_after === null ? {} : { retry_after } }, usual[reason])
  return new RpcFailure({ reason, message, code, details, retry_after })
}
