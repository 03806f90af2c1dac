/**
 * Errors of the REST API. Each has exactly one body shape, `{"error": "<what is wrong and where>"}`, and one status.
 * The HTTP edge moves `retry_after` into the `Retry-After` header; RPC clients get it as a field.
 */
import { Schema } from "effect"

/** 400: the request does not fit its schema or its rules; `error` names the field and the reason. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")({ error: Schema.String }, {
  httpApiStatus: 400,
  description: "The request does not fit its schema or its rules; `error` names the field and the reason."
}) {}
/** 401: no token, or one that is invalid, expired or of the wrong type. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")({ error: Schema.String }, {
  httpApiStatus: 401,
  description: "No valid credentials: the token is missing, invalid, expired, revoked or of the wrong type."
}) {}
/** 403: the caller is known but may not do this. */
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")({ error: Schema.String }, {
  httpApiStatus: 403,
  description: "The caller is known but may not do this."
}) {}
/** 404: no such resource, or another user's. */
export class NotFound extends Schema.Error<NotFound>("NotFound")({ error: Schema.String }, {
  httpApiStatus: 404,
  description: "There is no such resource, or it belongs to somebody else."
}) {}
/** 409: the request contradicts the present state. */
export class Conflict extends Schema.Error<Conflict>("Conflict")({ error: Schema.String }, {
  httpApiStatus: 409,
  description: "The request contradicts the present state."
}) {}
/** 412: what is to be changed is not any more what the caller saw. */
export class PreconditionFailed extends Schema.Error<PreconditionFailed>("PreconditionFailed")({ error: Schema.String }, {
  httpApiStatus: 412,
  description: "It has changed since the caller read it: read it again, then decide again."
}) {}
/** 413: the body is larger than the server reads. */
export class PayloadTooLarge extends Schema.Error<PayloadTooLarge>("PayloadTooLarge")({ error: Schema.String }, {
  httpApiStatus: 413,
  description: "The body is larger than the server reads."
}) {}
/** 415: the body is of a content type this endpoint does not read. */
export class UnsupportedMediaType
  extends Schema.Error<UnsupportedMediaType>("UnsupportedMediaType")({ error: Schema.String }, {
    httpApiStatus: 415,
    description: "The body is of a content type this endpoint does not read."
  })
{}
/** 422: the same `Idempotency-Key` came with another request before. */
export class UnprocessableContent
  extends Schema.Error<UnprocessableContent>("UnprocessableContent")({ error: Schema.String }, {
    httpApiStatus: 422,
    description: "The `Idempotency-Key` was used for another request within the last 24 hours."
  })
{}
/** 429, with `Retry-After` in whole seconds. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("TooManyRequests")(
  { error: Schema.String, retry_after: Schema.Int },
  { httpApiStatus: 429, description: "Too much at once; `Retry-After` says in how many seconds to try again." }
) {}
/** 500: a fault of the server; nothing about it is told but the request id. */
export class InternalError extends Schema.Error<InternalError>("InternalError")({ error: Schema.String }, {
  httpApiStatus: 500,
  description: "A fault of the server. The log has it under the `x-request-id` of the response."
}) {}
/** 503, with `Retry-After` in whole seconds: a dependency is down. */
export class ServiceUnavailable extends Schema.Error<ServiceUnavailable>("ServiceUnavailable")(
  { error: Schema.String, retry_after: Schema.Int },
  {
    httpApiStatus: 503,
    description: "Something the server needs is down. `Retry-After` says when to try again."
  }
) {}
