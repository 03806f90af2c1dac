/**
 * Errors of the REST API. Each has one status and the one shape of ErrorAnswer; who makes one says the sentence, and the rest
 * only where it is not the usual. `retry_after` is a detail and the `Retry-After` header too.
 */
import { Effect, Schema } from "effect"
import { ErrorDetails } from "./ErrorAnswer.ts"
import { ErrorCode } from "./ErrorCodes.ts"

const answer = (code: ErrorCode) => ({
  error: Schema.String,
  code: ErrorCode.pipe(Schema.withConstructorDefault(Effect.succeed(code))),
  details: ErrorDetails.pipe(Schema.withConstructorDefault(Effect.succeed([])))
})
const delayed = (code: ErrorCode) => ({ ...answer(code), retry_after: Schema.Int })

/** 400: the request does not fit its schema or its rules; `error` names the field and the reason. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(answer("invalid_field"), {
  httpApiStatus: 400,
  description: "The request does not fit its schema or its rules; `error` names the field and the reason."
}) {}
/** 401: no token, or one that is invalid, expired or of the wrong type. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")(answer("unauthenticated"), {
  httpApiStatus: 401,
  description: "No valid credentials: the token is missing, invalid, expired, revoked or of the wrong type."
}) {}
/** 403: the caller is known but may not do this. */
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")(answer("forbidden"), {
  httpApiStatus: 403,
  description: "The caller is known but may not do this."
}) {}
/** 404: no such resource, or another user's. */
export class NotFound extends Schema.Error<NotFound>("NotFound")(answer("not_found"), {
  httpApiStatus: 404,
  description: "There is no such resource, or it belongs to somebody else."
}) {}
/** 409: the request contradicts the present state. */
export class Conflict extends Schema.Error<Conflict>("Conflict")(answer("conflict"), {
  httpApiStatus: 409,
  description: "The request contradicts the present state."
}) {}
/** 412: what is to be changed is not any more what the caller saw. */
export class PreconditionFailed extends Schema.Error<PreconditionFailed>("PreconditionFailed")(answer("stale_etag"), {
  httpApiStatus: 412,
  description: "It has changed since the caller read it: read it again, then decide again."
}) {}
/** 413: the body is larger than the server reads. */
export class PayloadTooLarge extends Schema.Error<PayloadTooLarge>("PayloadTooLarge")(answer("payload_too_large"), {
  httpApiStatus: 413,
  description: "The body is larger than the server reads."
}) {}
/** 415: the body is of a content type this endpoint does not read. */
export class UnsupportedMediaType
  extends Schema.Error<UnsupportedMediaType>("UnsupportedMediaType")(answer("unsupported_media_type"), {
    httpApiStatus: 415,
    description: "The body is of a content type this endpoint does not read."
  })
{}
/** 422: the same `Idempotency-Key` came with another request before. */
export class UnprocessableContent
  extends Schema.Error<UnprocessableContent>("UnprocessableContent")(answer("idempotency_key_reused"), {
    httpApiStatus: 422,
    description: "The `Idempotency-Key` was used for another request within the last 24 hours."
  })
{}
/** 429, with `Retry-After` in whole seconds. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("TooManyRequests")(
  delayed("rate_limited"),
  { httpApiStatus: 429, description: "Too much at once; `Retry-After` says in how many seconds to try again." }
) {}
/** 500: a fault of the server; nothing about it is told but the request id. */
export class InternalError extends Schema.Error<InternalError>("InternalError")(answer("internal"), {
  httpApiStatus: 500,
  description: "A fault of the server. The log has it under the `x-request-id` of the response."
}) {}
/** 503, with `Retry-After` in whole seconds: a dependency is down. */
export class ServiceUnavailable extends Schema.Error<ServiceUnavailable>("ServiceUnavailable")(
  delayed("unavailable"),
  {
    httpApiStatus: 503,
    description: "Something the server needs is down. `Retry-After` says when to try again."
  }
) {}

const all = [
  BadRequest, Unauthorized, Forbidden, NotFound, Conflict, PreconditionFailed, PayloadTooLarge, UnsupportedMediaType, UnprocessableContent,
  TooManyRequests, InternalError, ServiceUnavailable
] as const

export type HttpFailure = InstanceType<(typeof all)[number]>

export const isHttpFailure = (failure: unknown): failure is HttpFailure => all.some((one) => failure instanceof one)
