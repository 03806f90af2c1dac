/**
 * What every endpoint may answer besides its own errors. On the server this middleware turns a request that does not fit
 * its schema into a 400 that names the field, and moves `retry_after` into the `Retry-After` header.
 */
import { HttpApiMiddleware } from "effect/http-api"
import { BadRequest, InternalError, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType } from "./HttpErrors.ts"

export class RequestErrors extends HttpApiMiddleware.Service<RequestErrors>()(
  "@englog/rpc/http/RequestErrors",
  { error: [BadRequest, PayloadTooLarge, UnsupportedMediaType, InternalError, ServiceUnavailable] }
) {}
