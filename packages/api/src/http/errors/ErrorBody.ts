/**
 * The one shape of every error on the wire: `{"error": "<what is wrong and where>"}`.
 */
import { HttpServerResponse } from "effect/http"

export const errorBody = (
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse => HttpServerResponse.jsonUnsafe({ error }, { status, headers })

/** With `Retry-After` in whole seconds. */
export const retryLater = (failure: { readonly error: string; readonly retry_after: number }, status: 429 | 503) =>
  errorBody(status, failure.error, { "retry-after": String(Math.max(1, Math.ceil(failure.retry_after))) })
