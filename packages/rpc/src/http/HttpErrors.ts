/**
 * Errors of the REST API. Each has exactly one body shape, `{"error": "<what is wrong and where>"}`, and one status.
 */
import { Schema } from "effect"

/** 400: the request does not fit its schema or its rules; `error` names the field and the reason. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")({ error: Schema.String }, { httpApiStatus: 400 }) {}
/** 401: no token, or one that is invalid, expired or of the wrong type. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")({ error: Schema.String }, { httpApiStatus: 401 }) {}
/** 403: the caller is known but may not do this. */
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")({ error: Schema.String }, { httpApiStatus: 403 }) {}
/** 404: no such resource, or another user's. */
export class NotFound extends Schema.Error<NotFound>("NotFound")({ error: Schema.String }, { httpApiStatus: 404 }) {}
/** 409: the request contradicts the present state. */
export class Conflict extends Schema.Error<Conflict>("Conflict")({ error: Schema.String }, { httpApiStatus: 409 }) {}
/** 429, with `Retry-After` in whole seconds. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("TooManyRequests")(
  { error: Schema.String, retry_after: Schema.Int },
  { httpApiStatus: 429 }
) {}
/** 503, with `Retry-After` in whole seconds: a dependency is down; nothing was written. */
export class ServiceUnavailable extends Schema.Error<ServiceUnavailable>("ServiceUnavailable")(
  { error: Schema.String, retry_after: Schema.Int },
  { httpApiStatus: 503 }
) {}
