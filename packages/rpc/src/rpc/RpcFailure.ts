/**
 * The one failure of the RPC API. `reason` corresponds to the REST API's status: bad_request 400, unauthorized 401,
 * forbidden 403, not_found 404, conflict 409, precondition_failed 412, too_many_requests 429, unavailable 503.
 */
import { Schema } from "effect"

export class RpcFailure extends Schema.TaggedError<RpcFailure>()("RpcFailure", {
  reason: Schema.Literals([
    "bad_request", "unauthorized", "forbidden", "not_found", "conflict", "precondition_failed", "too_many_requests", "unavailable"
  ]),
  message: Schema.String,
  /** Seconds to wait, where waiting helps. */
  retry_after: Schema.NullOr(Schema.Int)
}) {}
